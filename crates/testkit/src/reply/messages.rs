//! The wire language of Anthropic messages.

use super::answer::{Answer, Kind, Part, json};

/// The message and its one block, both empty yet.
pub(super) fn begin(answer: &Answer<'_>) -> Vec<Part> {
    let message = format!(
        r#""message":{{{},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":12,"output_tokens":1}}}}"#,
        head(answer)
    );
    let block = r#""index":0,"content_block":{"type":"text","text":""}"#;
    vec![
        Part::event(Kind::Role, "message_start", &message),
        Part::event(Kind::Role, "content_block_start", block),
    ]
}

pub(super) fn words(_: &Answer<'_>, words: &str) -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":{}}}}}\n\n",
        json(words)
    )
}

/// The end of the block, the stop reason with the usage, the end of the message.
pub(super) fn end(answer: &Answer<'_>) -> Vec<Part> {
    let reason = format!(
        r#""delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{{"output_tokens":{}}}"#,
        answer.tokens()
    );
    vec![
        Part::event(Kind::Finish, "content_block_stop", r#""index":0"#),
        Part::event(Kind::Finish, "message_delta", &reason),
        Part::event(Kind::Done, "message_stop", ""),
    ]
}

/// What stands before and after the text of an answer that is not streamed.
pub(super) fn whole(answer: &Answer<'_>) -> (String, String) {
    let (reason, tokens) = (if answer.finish { r#""end_turn""# } else { "null" }, answer.tokens());
    let tail = format!(
        r#"}}],"stop_reason":{reason},"stop_sequence":null,"usage":{{"input_tokens":12,"output_tokens":{tokens}}}}}"#
    );
    (format!(r#"{{{},"content":[{{"type":"text","text":"#, head(answer)), tail)
}

fn head(answer: &Answer<'_>) -> String {
    let model = json(answer.model);
    format!(r#""id":"msg_0","type":"message","role":"assistant","model":{model}"#)
}
