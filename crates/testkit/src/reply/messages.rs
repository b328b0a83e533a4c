//! Renders answers of the API of Anthropic messages.

use super::part::{BodyPart, ChatAnswer, PartKind, json};

/// The starts of the message and of its one block, both without text.
pub(super) fn begin(answer: &ChatAnswer<'_>) -> Vec<BodyPart> {
    let message = format!(
        r#""message":{{{},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":12,"output_tokens":1}}}}"#,
        head(answer)
    );
    let block = r#""index":0,"content_block":{"type":"text","text":""}"#;
    vec![
        BodyPart::event(PartKind::Role, "message_start", &message),
        BodyPart::event(PartKind::Role, "content_block_start", block),
    ]
}

pub(super) fn words(_: &ChatAnswer<'_>, words: &str) -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":{}}}}}\n\n",
        json(words)
    )
}

/// The end of the block, the stop reason with the usage, the end of the message.
pub(super) fn end(answer: &ChatAnswer<'_>) -> Vec<BodyPart> {
    let reason = format!(
        r#""delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{{"output_tokens":{}}}"#,
        answer.tokens()
    );
    vec![
        BodyPart::event(PartKind::Finish, "content_block_stop", r#""index":0"#),
        BodyPart::event(PartKind::Finish, "message_delta", &reason),
        BodyPart::event(PartKind::Done, "message_stop", ""),
    ]
}

/// The JSON before and after the text of an answer that is not streamed.
pub(super) fn whole(answer: &ChatAnswer<'_>) -> (String, String) {
    let (reason, tokens) = (if answer.finish { r#""end_turn""# } else { "null" }, answer.tokens());
    let tail = format!(
        r#"}}],"stop_reason":{reason},"stop_sequence":null,"usage":{{"input_tokens":12,"output_tokens":{tokens}}}}}"#
    );
    (format!(r#"{{{},"content":[{{"type":"text","text":"#, head(answer)), tail)
}

fn head(answer: &ChatAnswer<'_>) -> String {
    let model = json(answer.model);
    format!(r#""id":"msg_0","type":"message","role":"assistant","model":{model}"#)
}
