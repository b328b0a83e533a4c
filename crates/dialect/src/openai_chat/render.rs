//! Renders a synthetic reply as an answer of this API.

#[cfg(test)]
mod tests;

use crate::{
    RequestInfo, Response, SyntheticReply,
    reply::{EVENTS, JSON, id, json, now, reply},
};

/// Renders a reply as JSON or as a stream, as the request asks.
pub(crate) fn render<'a>(said: impl Into<SyntheticReply<'a>>, info: &RequestInfo) -> Response {
    let said = said.into();
    let text = json(said.text);
    if info.stream() {
        let head = head("chat.completion.chunk", said, info);
        reply(EVENTS, stream(&head, &text, info.stream_usage.then(|| usage(said))))
    } else {
        reply(JSON, whole(&head("chat.completion", said, info), &text, &usage(said)))
    }
}

/// The JSON fields that every object of one answer has.
fn head(object: &str, said: SyntheticReply<'_>, info: &RequestInfo) -> String {
    let (id, created, model) = (id(), now(), said.model(info));
    format!(
        r#""id":"chatcmpl-{id}","object":"{object}","created":{created},"model":{model},"system_fingerprint":null"#
    )
}

fn usage(said: SyntheticReply<'_>) -> String {
    let (input, output, total) = said.counts();
    format!(r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total}}}"#)
}

fn whole(head: &str, text: &str, usage: &str) -> String {
    format!(
        r#"{{{head},"choices":[{{"index":0,"message":{{"role":"assistant","content":{text},"refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{usage}}}"#
    )
}

fn stream(head: &str, text: &str, usage: Option<String>) -> String {
    // If usage is requested, every chunk has the field, and one more chunk has the value.
    let blank = if usage.is_some() { r#","usage":null"# } else { "" };
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
    if let Some(usage) = usage {
        events.push(format!(r#"data: {{{head},"choices":[],"usage":{usage}}}"#));
    }
    events.push("data: [DONE]\n\n".into());
    events.join("\n\n")
}
