//! The wire language of OpenAI chat completions.

use super::answer::{Answer, Kind, Part, json};

/// An event of the role.
pub(super) fn begin(answer: &Answer<'_>) -> Vec<Part> {
    let role = chunk(answer, r#""role":"assistant","content":"""#, "null");
    vec![Part::new(Kind::Role, role)]
}

pub(super) fn words(answer: &Answer<'_>, words: &str) -> String {
    chunk(answer, &format!(r#""content":{}"#, json(words)), "null")
}

/// The finish reason, usage if asked, the sentinel.
pub(super) fn end(answer: &Answer<'_>) -> Vec<Part> {
    let mut parts = vec![Part::new(Kind::Finish, chunk(answer, "", r#""stop""#))];
    if answer.facts.usage {
        let tail = format!(r#""choices":[],"usage":{}"#, usage(answer));
        parts.push(Part::new(Kind::Usage, event(answer, &tail)));
    }
    parts.push(Part::new(Kind::Done, "data: [DONE]\n\n"));
    parts
}

/// What stands before and after the text of an answer that is not streamed.
pub(super) fn whole(answer: &Answer<'_>) -> (String, String) {
    let finish = if answer.finish { r#""stop""# } else { "null" };
    let head = format!(
        r#"{{"id":"chatcmpl-0","object":"chat.completion","created":0,"model":{},"choices":[{{"index":0,"message":{{"role":"assistant","content":"#,
        json(answer.model)
    );
    (head, format!(r#"}},"finish_reason":{finish}}}],"usage":{}}}"#, usage(answer)))
}

fn chunk(answer: &Answer<'_>, delta: &str, finish: &str) -> String {
    let usage = if answer.facts.usage { r#","usage":null"# } else { "" };
    let tail =
        format!(r#""choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":{finish}}}]{usage}"#);
    event(answer, &tail)
}

fn event(answer: &Answer<'_>, tail: &str) -> String {
    let model = json(answer.model);
    format!(
        "data: {{\"id\":\"chatcmpl-0\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":{model},{tail}}}\n\n"
    )
}

fn usage(answer: &Answer<'_>) -> String {
    let completion = answer.tokens();
    let total = completion + 12;
    format!(r#"{{"prompt_tokens":12,"completion_tokens":{completion},"total_tokens":{total}}}"#)
}
