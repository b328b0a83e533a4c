//! Renders a synthetic reply as an answer of this API.

use crate::{
    AnswerForm, RequestInfo, Response, SyntheticReply,
    reply::{EVENTS, JSON, id, json, reply},
};

/// Renders a reply as JSON, as a stream of events, or as one array, as the request asks.
pub(crate) fn render<'a>(said: impl Into<SyntheticReply<'a>>, info: &RequestInfo) -> Response {
    let said = said.into();
    let (input, output, total) = said.counts();
    let chunk = format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":{}}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":{input},"candidatesTokenCount":{output},"totalTokenCount":{total}}},"modelVersion":{},"responseId":"{}"}}"#,
        json(said.text),
        said.model(info),
        id()
    );
    match (info.stream(), info.form) {
        (false, _) => reply(JSON, chunk),
        (true, AnswerForm::Array) => reply(JSON, format!("[{chunk}]")),
        (true, _) => reply(EVENTS, format!("data: {chunk}\r\n\r\n")),
    }
}
