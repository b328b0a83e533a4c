//! Renders a text of ours as a message.

use crate::{
    Response,
    dialect::{
        Ask,
        reply::{EVENTS, JSON, event, id, json, model, reply},
    },
};

/// A text as an answer, as JSON or as a stream, whichever was asked. It cost no token.
pub(crate) fn render(text: &str, ask: &Ask) -> Response {
    let text = json(text);
    let head = format!(
        r#""id":"msg_{}","type":"message","role":"assistant","model":{}"#,
        id(),
        model(ask)
    );
    if ask.stream() {
        return reply(EVENTS, stream(&head, &text));
    }
    let body = format!(
        r#"{{{head},"content":[{{"type":"text","text":{text},"citations":null}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{NO_TOKENS}}}"#
    );
    reply(JSON, body)
}

const NO_TOKENS: &str = r#"{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}"#;

fn stream(head: &str, text: &str) -> String {
    let start = format!(
        r#""message":{{{head},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{NO_TOKENS}}}"#
    );
    let delta = format!(r#""index":0,"delta":{{"type":"text_delta","text":{text}}}"#);
    let end =
        r#""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":0}"#;
    [
        event("message_start", &start),
        event(
            "content_block_start",
            r#""index":0,"content_block":{"type":"text","text":"","citations":null}"#,
        ),
        event("content_block_delta", &delta),
        event("content_block_stop", r#""index":0"#),
        event("message_delta", end),
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".into(),
    ]
    .concat()
}
