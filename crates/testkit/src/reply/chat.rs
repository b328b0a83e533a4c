//! Renders answers of the API of OpenAI chat completions.

use super::part::{BodyPart, ChatAnswer, PartKind, json};

/// The event with the role.
pub(super) fn begin(answer: &ChatAnswer<'_>) -> Vec<BodyPart> {
    let role = chunk(answer, r#""role":"assistant","content":"""#, "null");
    vec![BodyPart::new(PartKind::Role, role)]
}

pub(super) fn words(answer: &ChatAnswer<'_>, words: &str) -> String {
    chunk(answer, &format!(r#""content":{}"#, json(words)), "null")
}

/// The finish reason, usage where the request asks for it, the sentinel.
pub(super) fn end(answer: &ChatAnswer<'_>) -> Vec<BodyPart> {
    let mut parts = vec![BodyPart::new(PartKind::Finish, chunk(answer, "", r#""stop""#))];
    if answer.facts.usage {
        let tail = format!(r#""choices":[],"usage":{}"#, usage(answer));
        parts.push(BodyPart::new(PartKind::Usage, event(answer, &tail)));
    }
    parts.push(BodyPart::new(PartKind::Done, "data: [DONE]\n\n"));
    parts
}

/// The JSON before and after the text of an answer that is not streamed.
pub(super) fn whole(answer: &ChatAnswer<'_>) -> (String, String) {
    let finish = if answer.finish { r#""stop""# } else { "null" };
    let head = format!(
        r#"{{"id":"chatcmpl-0","object":"chat.completion","created":0,"model":{},"choices":[{{"index":0,"message":{{"role":"assistant","content":"#,
        json(answer.model)
    );
    (head, format!(r#"}},"finish_reason":{finish}}}],"usage":{}}}"#, usage(answer)))
}

fn chunk(answer: &ChatAnswer<'_>, delta: &str, finish: &str) -> String {
    let usage = if answer.facts.usage { r#","usage":null"# } else { "" };
    let tail =
        format!(r#""choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":{finish}}}]{usage}"#);
    event(answer, &tail)
}

fn event(answer: &ChatAnswer<'_>, tail: &str) -> String {
    let model = json(answer.model);
    format!(
        "data: {{\"id\":\"chatcmpl-0\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":{model},{tail}}}\n\n"
    )
}

fn usage(answer: &ChatAnswer<'_>) -> String {
    let completion = answer.tokens();
    let total = completion + 12;
    format!(r#"{{"prompt_tokens":12,"completion_tokens":{completion},"total_tokens":{total}}}"#)
}
