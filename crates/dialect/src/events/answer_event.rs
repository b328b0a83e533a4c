//! One event of an answer.

use super::{Few, Finish, FinishReason, JsonText, UsageCounts};
use crate::{
    json::RawField,
    outcome::{Outcome, Verdict},
};

/// The content of one event, or of a whole answer that was not streamed.
#[derive(Debug, Default)]
pub(crate) struct AnswerEvent<'a> {
    /// The id of the answer.
    pub(crate) id: Option<JsonText<'a>>,
    /// The model of the answer.
    pub(crate) model: Option<JsonText<'a>>,
    /// Its content, in order. A part is never empty: a role, an empty text or a ping is no content.
    pub(crate) parts: Few<Part<'a>>,
    /// The choices, or candidates, that the event names: one bit for each index. Zero in a dialect with one answer only.
    pub(crate) choices: u128,
    /// The finish reasons of the answer, or of its choices.
    pub(crate) finishes: Few<Finish<'a>>,
    pub(crate) usage: Option<UsageCounts>,
    pub(crate) fault: Option<Fault>,
    /// Its position among the blocks of a message. Only Anthropic's events have one.
    pub(crate) structure: Structure<'a>,
    /// The state of a tool that the provider runs.
    pub(crate) tool: Option<ProviderTool>,
    /// Whether the event only keeps the connection open.
    pub(crate) ping: bool,
    /// Whether it has content outside of its parts.
    pub(crate) opaque: bool,
    /// Whether it has fields beside the content that another form of the answer would lack: log-probabilities, citations, a
    /// signature, a name, a second block.
    pub(crate) annotated: bool,
    /// Whether it holds the whole answer, including the content of earlier events.
    pub(crate) snapshot: bool,
    /// Whether the answer is computed in the background, and fetched later.
    pub(crate) pending: bool,
    /// Whether it is the last event of the API. Later events are ignored.
    pub(crate) last: bool,
}

/// A piece of content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) kind: PartKind,
    /// The text, if the kind is text or a completion.
    pub(crate) text: Option<JsonText<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Text,
    /// Text that completes a bare prompt: there is no message that another answer could continue.
    Completion,
    Reasoning,
    /// A call of a tool, of the caller or the provider, or a part of its input.
    ToolCall,
    Refusal,
    /// An image, audio, code, the result of a tool, or a kind that is not known yet.
    Other,
    /// Content that was sent in pieces before: it shows progress, and adds nothing.
    Restated,
}

/// The reason an event is not part of a successful answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The provider reports an error.
    Error(Box<Verdict>),
    /// JSON that is not an event of the dialect.
    Foreign(Box<Verdict>),
    /// Data that cannot be parsed as an event of the dialect.
    Unreadable(Box<Verdict>),
}

/// The position of an event in a message of blocks, with the index of a block that starts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Structure<'a> {
    #[default]
    None,
    MessageStart,
    BlockStart {
        index: RawField<'a>,
        text: bool,
    },
    BlockDelta,
    BlockEnd,
    /// The stop reason of the message, or its end.
    MessageEnd,
}

/// The state of a tool that the provider runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProviderTool {
    /// Whether a tool runs from this event on.
    pub(crate) running: bool,
    /// Whether the event itself shows progress of a tool. Otherwise only a tool that was running before it counts.
    pub(crate) progress: bool,
}

// === impl AnswerEvent ===

impl<'a> AnswerEvent<'a> {
    /// An error of the provider, with its verdict.
    pub(crate) fn error(verdict: Verdict) -> Self {
        Self { fault: Some(Fault::Error(verdict.into())), ..Self::default() }
    }

    /// JSON that is not an event of its dialect.
    pub(crate) fn foreign() -> Self {
        Self { fault: Some(Fault::Foreign(Box::new(Outcome::Malformed.into()))), ..Self::default() }
    }

    /// Data that cannot be parsed as an event of its dialect.
    pub(crate) fn unreadable(verdict: Verdict) -> Self {
        Self { fault: Some(Fault::Unreadable(verdict.into())), ..Self::default() }
    }

    /// The event with which an API, or a gateway in front of it, ends a stream.
    pub(crate) fn end() -> Self {
        Self { last: true, ..Self::default() }
    }

    /// Adds content of that kind, if `any`.
    pub(crate) fn push(&mut self, kind: PartKind, any: bool) {
        if any {
            self.parts.push(Part { kind, text: None });
        }
    }

    /// Adds a text that is not empty. Returns whether the value was a text, or missing.
    pub(crate) fn push_text(&mut self, value: RawField<'a>) -> bool {
        self.push_text_as(PartKind::Text, value)
    }

    /// Adds a text of that kind, in the same way.
    pub(crate) fn push_text_as(&mut self, kind: PartKind, value: RawField<'a>) -> bool {
        let Some(text) = JsonText::new(value) else { return value.is_none() };
        if !text.is_empty() {
            self.parts.push(Part { kind, text: Some(text) });
        }
        true
    }

    /// The answer as a whole has ended, for a reason without a word.
    pub(crate) fn push_finish(&mut self, reason: FinishReason) {
        self.finishes.push(Finish { choice: None, reason, word: "" });
    }

    /// The answer as a whole has ended, for the reason that the provider names.
    pub(crate) fn push_finish_word(&mut self, word: &'a str) {
        self.finishes.push(Finish { choice: None, reason: FinishReason::of(word), word });
    }

    /// The text of the event, if it is all of its content: not one of several choices, not beside other content, and not in the
    /// start of a block, where text cannot continue.
    pub(crate) fn only_text(&self) -> Option<JsonText<'a>> {
        let mut parts = self.parts.iter();
        let (Some(part), None) = (parts.next(), parts.next()) else { return None };
        let begins =
            matches!(self.structure, Structure::MessageStart | Structure::BlockStart { .. });
        let alone = part.kind == PartKind::Text && !self.opaque && self.choices <= 1;
        part.text.filter(|_| alone && !begins)
    }
}

// === impl Fault ===

impl Fault {
    pub(crate) fn verdict(&self) -> &Verdict {
        match self {
            Self::Error(verdict) | Self::Foreign(verdict) | Self::Unreadable(verdict) => verdict,
        }
    }
}
