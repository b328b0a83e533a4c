//! Renders a synthetic reply as a message.

use crate::{
    RequestInfo, Response, SyntheticReply,
    reply::{EVENTS, JSON, event, id, json, reply},
};

/// Renders a reply as JSON or as a stream, as the request asks.
pub(crate) fn render<'a>(said: impl Into<SyntheticReply<'a>>, info: &RequestInfo) -> Response {
    let said = said.into();
    let text = json(said.text);
    let head = format!(
        r#""id":"msg_{}","type":"message","role":"assistant","model":{}"#,
        id(),
        said.model(info)
    );
    if info.stream() {
        return reply(EVENTS, stream(&head, &text, said));
    }
    let usage = usage(said.counts().0, said.counts().1);
    let body = format!(
        r#"{{{head},"content":[{{"type":"text","text":{text},"citations":null}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{usage}}}"#
    );
    reply(JSON, body)
}

fn usage(input: u64, output: u64) -> String {
    format!(
        r#"{{"input_tokens":{input},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":{output}}}"#
    )
}

fn stream(head: &str, text: &str, said: SyntheticReply<'_>) -> String {
    let (input, output, _) = said.counts();
    let usage = usage(input, 0);
    let start = format!(
        r#""message":{{{head},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{usage}}}"#
    );
    let delta = format!(r#""index":0,"delta":{{"type":"text_delta","text":{text}}}"#);
    let end = format!(
        r#""delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{{"output_tokens":{output}}}"#
    );
    [
        event("message_start", &start),
        event(
            "content_block_start",
            r#""index":0,"content_block":{"type":"text","text":"","citations":null}"#,
        ),
        event("content_block_delta", &delta),
        event("content_block_stop", r#""index":0"#),
        event("message_delta", &end),
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".into(),
    ]
    .concat()
}
