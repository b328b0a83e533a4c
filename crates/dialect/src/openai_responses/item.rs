//! The JSON of one item of an answer: a message, reasoning, the call of a tool.

use crate::{
    events::{AnswerEvent, PartKind},
    json::{RawField, fields, is_filled, plain_str, read},
};

fields! {
    pub(super) struct Item<'a> {
        r#type: RawField<'a>,
        content: RawField<'a>,
        summary: RawField<'a>,
        encrypted_content: RawField<'a>,
    }
}

fields! {
    struct Part<'a> {
        r#type: RawField<'a>,
        text: RawField<'a>,
        refusal: RawField<'a>,
        transcript: RawField<'a>,
        annotations: RawField<'a>,
        logprobs: RawField<'a>,
    }
}

// === impl Item ===

impl<'a> Item<'a> {
    /// Messages and reasoning may be empty; any other item, such as the call of a tool, is content.
    pub(super) fn has_content(&self) -> bool {
        let filled = |parts| parts_of(parts).iter().any(Part::has_content);
        match plain_str(self.r#type) {
            "message" | "reasoning" | "" => filled(self.content) || filled(self.summary),
            _ => true,
        }
    }

    pub(super) fn kind(&self) -> PartKind {
        match plain_str(self.r#type) {
            "reasoning" => PartKind::Reasoning,
            kind if kind.ends_with("_call") => PartKind::ToolCall,
            _ => PartKind::Other,
        }
    }

    /// Adds what it holds, whole; returns how many parts its message has.
    pub(super) fn add_to(&self, event: &mut AnswerEvent<'a>) -> usize {
        let thoughts = [self.summary, self.content, self.encrypted_content];
        match plain_str(self.r#type) {
            "message" => {
                let parts = parts_of(self.content);
                parts.iter().for_each(|part| part.add_to(event));
                let more = parts_of(self.summary).iter().any(Part::has_content);
                event.push(PartKind::Other, more);
                return parts.len();
            }
            // That it thought, and not what.
            "reasoning" => event.annotated |= thoughts.into_iter().any(is_filled),
            _ => event.annotated = true,
        }
        event.push(self.kind(), self.has_content());
        0
    }
}

// === impl Part ===

impl<'a> Part<'a> {
    fn has_content(&self) -> bool {
        [self.text, self.refusal, self.transcript].into_iter().any(is_filled)
    }

    fn add_to(&self, event: &mut AnswerEvent<'a>) {
        event.annotated |= is_filled(self.annotations) || is_filled(self.logprobs);
        match plain_str(self.r#type) {
            "output_text" => {
                if !event.push_text(self.text) {
                    event.push(PartKind::Other, is_filled(self.text));
                }
                let more = is_filled(self.refusal) || is_filled(self.transcript);
                event.push(PartKind::Other, more);
            }
            "refusal" => event.push(PartKind::Refusal, self.has_content()),
            _ => {
                event.push(PartKind::Other, self.has_content());
                event.annotated = true;
            }
        }
    }
}

fn parts_of(list: RawField<'_>) -> Vec<Part<'_>> {
    read(list).unwrap_or_default()
}
