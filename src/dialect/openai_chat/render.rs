//! Renders a text of ours as an answer of this API.

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use http::{HeaderValue, header};
use serde_json::Value;

use crate::{Body, Response, dialect::Ask};

const NO_TOKENS: &str = r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#;

/// A text as an answer, as JSON or as a stream, whichever was asked. It cost no token.
pub(crate) fn render(text: &str, ask: &Ask) -> Response {
    let text = Value::from(text).to_string();
    let (kind, body) = if ask.stream() {
        let head = head("chat.completion.chunk", ask);
        ("text/event-stream; charset=utf-8", stream(&head, &text, ask.stream_usage))
    } else {
        ("application/json", whole(&head("chat.completion", ask), &text))
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The fields that every object of one answer has, in JSON.
fn head(object: &str, ask: &Ask) -> String {
    let id = fastrand::u64(..);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let created = now.map_or(0, |now| now.as_secs());
    let model = Value::from(ask.model().unwrap_or("canned"));
    format!(
        r#""id":"chatcmpl-{id:016x}","object":"{object}","created":{created},"model":{model},"system_fingerprint":null"#
    )
}

fn whole(head: &str, text: &str) -> String {
    format!(
        r#"{{{head},"choices":[{{"index":0,"message":{{"role":"assistant","content":{text},"refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{NO_TOKENS}}}"#
    )
}

fn stream(head: &str, text: &str, usage: bool) -> String {
    // With usage asked for, every chunk has the field, and one more chunk fills it.
    let blank = if usage { r#","usage":null"# } else { "" };
    let chunk = |delta: &str, finish: &str| {
        format!(
            r#"data: {{{head},"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]{blank}}}"#
        )
    };
    let mut events = vec![
        chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null"),
        chunk(&format!(r#"{{"content":{text}}}"#), "null"),
        chunk("{}", r#""stop""#),
    ];
    if usage {
        events.push(format!(r#"data: {{{head},"choices":[],"usage":{NO_TOKENS}}}"#));
    }
    events.push("data: [DONE]\n\n".into());
    events.join("\n\n")
}
