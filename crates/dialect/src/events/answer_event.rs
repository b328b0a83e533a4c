//! One event of an answer.

use super::{Few, Finish, FinishReason, JsonText, UsageCounts};
use crate::{
    json::RawField,
    outcome::{Outcome, Verdict},
};

/// What one event of an answer holds; or a whole answer that was not streamed.
#[derive(Debug, Default)]
pub(crate) struct AnswerEvent<'a> {
    /// The id of the answer.
    pub(crate) id: Option<JsonText<'a>>,
    /// The model that answers.
    pub(crate) model: Option<JsonText<'a>>,
    /// Its content, in order. A part is never empty: a role, an empty text or a ping is no content.
    pub(crate) parts: Few<Part<'a>>,
    /// The choices, or candidates, that the event names: one bit for each index. None in a dialect with one answer only.
    pub(crate) choices: u128,
    /// Why the answer, or choices of it, ended.
    pub(crate) finishes: Few<Finish>,
    pub(crate) usage: Option<UsageCounts>,
    pub(crate) fault: Option<Fault>,
    /// Its place among the blocks of a message: Anthropic's events alone have one.
    pub(crate) structure: Structure<'a>,
    /// A tool that the provider runs itself.
    pub(crate) tool: Option<ProviderTool>,
    /// It only keeps the connection open.
    pub(crate) ping: bool,
    /// It has content outside of its parts.
    pub(crate) opaque: bool,
    /// Something stands beside the content that another form of the answer would not have: log-probabilities, citations, a signature,
    /// a name, a second block.
    pub(crate) annotated: bool,
    /// It holds the whole answer: what came before is in it once more.
    pub(crate) snapshot: bool,
    /// The answer is worked out in the background, and asked for later.
    pub(crate) pending: bool,
    /// The last word of the API: what comes after it means nothing.
    pub(crate) last: bool,
}

/// A piece of content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) kind: PartKind,
    /// Its text, where the kind is text or a completion.
    pub(crate) text: Option<JsonText<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Text,
    /// Text that completes a bare prompt: there is no message that another answer could go on with.
    Completion,
    Reasoning,
    /// The call of a tool of the caller's or the provider's, or a piece of its input.
    ToolCall,
    Refusal,
    /// A picture, sound, code, the result of a tool, and what is yet to be invented.
    Other,
    /// Content that came in pieces before: it shows that the provider is at work, and adds nothing.
    Restated,
}

/// Why an event does not belong to a successful answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The provider reports an error.
    Error(Box<Verdict>),
    /// It is JSON, and no event of the dialect.
    Foreign(Box<Verdict>),
    /// It cannot be read as an event of the dialect.
    Unreadable(Box<Verdict>),
}

/// The place of an event in a message that is made of blocks, with the index of a block that begins.
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
    /// Its reason to end, or its end.
    MessageEnd,
}

/// The state of a tool that the provider runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProviderTool {
    /// A tool runs from here on.
    pub(crate) running: bool,
    /// The event itself is a sign that one is at work; otherwise only one that ran before it is.
    pub(crate) progress: bool,
}

// === impl AnswerEvent ===

impl<'a> AnswerEvent<'a> {
    /// An error of the provider, with its verdict.
    pub(crate) fn error(verdict: Verdict) -> Self {
        Self { fault: Some(Fault::Error(verdict.into())), ..Self::default() }
    }

    /// JSON that is no event of its dialect.
    pub(crate) fn foreign() -> Self {
        Self { fault: Some(Fault::Foreign(Box::new(Outcome::Malformed.into()))), ..Self::default() }
    }

    /// Data that cannot be read as an event of its dialect.
    pub(crate) fn unreadable(verdict: Verdict) -> Self {
        Self { fault: Some(Fault::Unreadable(verdict.into())), ..Self::default() }
    }

    /// The event by which an API, or a gateway before it, ends a stream.
    pub(crate) fn end() -> Self {
        Self { last: true, ..Self::default() }
    }

    /// Adds content of that kind, if it is any.
    pub(crate) fn push(&mut self, kind: PartKind, any: bool) {
        if any {
            self.parts.push(Part { kind, text: None });
        }
    }

    /// Adds a text, if it is one and not empty. Whether it was a text, or nothing.
    pub(crate) fn push_text(&mut self, value: RawField<'a>) -> bool {
        self.push_text_as(PartKind::Text, value)
    }

    /// The same of text of that kind.
    pub(crate) fn push_text_as(&mut self, kind: PartKind, value: RawField<'a>) -> bool {
        let Some(text) = JsonText::new(value) else { return value.is_none() };
        if !text.is_empty() {
            self.parts.push(Part { kind, text: Some(text) });
        }
        true
    }

    /// The answer as a whole has ended.
    pub(crate) fn push_finish(&mut self, reason: FinishReason) {
        self.finishes.push(Finish { choice: None, reason });
    }

    /// The text of the event, where it is all of its content: not one of several choices, nor beside anything else, nor in the
    /// beginning of a block, which is not a place where text can go on.
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
