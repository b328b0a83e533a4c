//! Renders answers of the API of OpenAI responses.

use super::part::{BodyPart, ChatAnswer, PartKind, json};

/// The indices of the one text of an answer.
const TEXT_INDICES: &str = r#""item_id":"msg_0","output_index":0,"content_index":0"#;

/// The starts of the response, its one message and the one part of it, all without text.
pub(super) fn begin(answer: &ChatAnswer<'_>) -> Vec<BodyPart> {
    let response = response(answer, "in_progress", "");
    let item = format!(r#""output_index":0,"item":{}"#, item("in_progress", ""));
    let part = format!(r#"{TEXT_INDICES},"part":{}"#, part("\"\""));
    vec![
        BodyPart::event(
            PartKind::Role,
            "response.created",
            &format!(r#""sequence_number":0,{response}"#),
        ),
        BodyPart::event(
            PartKind::Role,
            "response.output_item.added",
            &format!(r#""sequence_number":1,{item}"#),
        ),
        BodyPart::event(
            PartKind::Role,
            "response.content_part.added",
            &format!(r#""sequence_number":2,{part}"#),
        ),
    ]
}

pub(super) fn words(_: &ChatAnswer<'_>, words: &str) -> String {
    format!(
        "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"sequence_number\":3,{TEXT_INDICES},\"delta\":{},\"logprobs\":[]}}\n\n",
        json(words)
    )
}

/// The ends of the text, the part, the message and the response. The last has the usage. There is no sentinel.
pub(super) fn end(answer: &ChatAnswer<'_>) -> Vec<BodyPart> {
    let text = json(answer.text);
    let item = item("completed", &part(&text));
    let events = [
        ("output_text.done", format!(r#"{TEXT_INDICES},"text":{text},"logprobs":[]"#)),
        ("content_part.done", format!(r#"{TEXT_INDICES},"part":{}"#, part(&text))),
        ("output_item.done", format!(r#""output_index":0,"item":{item}"#)),
        ("completed", response(answer, "completed", &item)),
    ];
    let numbered = events.iter().enumerate().map(|(n, (name, fields))| {
        let fields = format!(r#""sequence_number":{},{fields}"#, n + 4);
        BodyPart::event(PartKind::Finish, &format!("response.{name}"), &fields)
    });
    numbered.collect()
}

/// The JSON before and after the text of an answer that is not streamed.
pub(super) fn whole(answer: &ChatAnswer<'_>) -> (String, String) {
    let status = if answer.finish { "completed" } else { "in_progress" };
    let response = response(answer, status, &item(status, &part(TEXT)));
    let body = response.trim_start_matches(r#""response":"#);
    let (head, tail) = body.split_once(TEXT).unwrap_or((body, ""));
    (head.into(), tail.into())
}

/// A placeholder for the text: no other field can contain it.
const TEXT: &str = "\"\u{1}\"";

fn response(answer: &ChatAnswer<'_>, status: &str, output: &str) -> String {
    let (model, tokens) = (json(answer.model), answer.tokens());
    let usage = match status {
        "completed" => format!(
            r#"{{"input_tokens":12,"input_tokens_details":{{"cached_tokens":0,"cache_write_tokens":0}},"output_tokens":{tokens},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{}}}"#,
            tokens + 12
        ),
        _ => "null".into(),
    };
    format!(
        r#""response":{{"id":"resp_0","object":"response","created_at":0,"status":"{status}","error":null,"incomplete_details":null,"instructions":null,"model":{model},"output":[{output}],"parallel_tool_calls":true,"temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0,"usage":{usage},"metadata":{{}}}}"#
    )
}

fn item(status: &str, content: &str) -> String {
    format!(
        r#"{{"id":"msg_0","type":"message","status":"{status}","role":"assistant","content":[{content}]}}"#
    )
}

fn part(text: &str) -> String {
    format!(r#"{{"type":"output_text","text":{text},"annotations":[],"logprobs":[]}}"#)
}
