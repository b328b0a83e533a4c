//! Renders a text of ours as an answer of this API.

use crate::{
    Response,
    dialect::{
        Ask, Form,
        reply::{EVENTS, JSON, id, json, model, reply},
    },
};

/// A text as an answer: as JSON, as a stream of events, or as one array, whichever was asked. It cost no token.
pub(crate) fn render(text: &str, ask: &Ask) -> Response {
    let chunk = format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":{}}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0}},"modelVersion":{},"responseId":"{}"}}"#,
        json(text),
        model(ask),
        id()
    );
    match (ask.stream(), ask.form) {
        (false, _) => reply(JSON, chunk),
        (true, Form::Array) => reply(JSON, format!("[{chunk}]")),
        (true, _) => reply(EVENTS, format!("data: {chunk}\r\n\r\n")),
    }
}
