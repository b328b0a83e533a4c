//! Renders a text of ours as an answer of this API.

#[cfg(test)]
mod tests;

use crate::{
    Response,
    dialect::{
        Ask,
        reply::{EVENTS, JSON, id, json, model, now, reply},
    },
};

const NO_TOKENS: &str = r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#;

/// A text as an answer, as JSON or as a stream, whichever was asked. It cost no token.
pub(crate) fn render(text: &str, ask: &Ask) -> Response {
    let text = json(text);
    if ask.stream() {
        let head = head("chat.completion.chunk", ask);
        reply(EVENTS, stream(&head, &text, ask.stream_usage))
    } else {
        reply(JSON, whole(&head("chat.completion", ask), &text))
    }
}

/// The fields that every object of one answer has, in JSON.
fn head(object: &str, ask: &Ask) -> String {
    let (id, created, model) = (id(), now(), model(ask));
    format!(
        r#""id":"chatcmpl-{id}","object":"{object}","created":{created},"model":{model},"system_fingerprint":null"#
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
