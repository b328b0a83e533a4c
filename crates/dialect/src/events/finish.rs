//! Finish reasons.

use crate::outcome::FinishClass;

/// The finish reason of an answer, or of one choice of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finish<'a> {
    /// The choice; `None` for the answer as a whole.
    pub(crate) choice: Option<u32>,
    pub(crate) reason: FinishReason,
    /// The provider's own word for it; empty if the reason has none.
    pub(crate) word: &'a str,
}

/// A finish reason, in a vocabulary that all dialects share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinishReason {
    /// The answer is complete, or calls tools.
    Complete,
    /// The model ended its turn. With next to no tokens it had nothing to add, which is a valid answer.
    EndOfTurn,
    /// A stop sequence of the caller, in a dialect with its own reason for that.
    StopSequence,
    /// A limit of the caller or the model.
    Limit,
    /// The provider's content filter, or the model, refused.
    Filtered,
    /// The answer is not complete: it can be continued.
    Interrupted,
    /// The provider failed.
    Failed,
    /// A reason that is not known, such as that of a model which wrote a call of a tool that cannot be parsed.
    Unknown,
}

// === impl Finish ===

impl<'a> Finish<'a> {
    /// The provider's word, or a usual one for a reason that has none.
    pub(crate) fn name(&self) -> &'a str {
        match self.reason {
            _ if !self.word.is_empty() => self.word,
            FinishReason::Complete | FinishReason::EndOfTurn | FinishReason::StopSequence => "stop",
            FinishReason::Limit => "length",
            FinishReason::Filtered => "content_filter",
            FinishReason::Interrupted => "pause",
            FinishReason::Failed => "error",
            FinishReason::Unknown => "unknown",
        }
    }
}

// === impl FinishReason ===

impl From<FinishClass> for FinishReason {
    fn from(class: FinishClass) -> Self {
        match class {
            FinishClass::Complete => Self::Complete,
            FinishClass::Limit => Self::Limit,
            FinishClass::Blocked => Self::Filtered,
            FinishClass::Unavailable => Self::Failed,
            FinishClass::Unfinished => Self::Unknown,
        }
    }
}

impl FinishReason {
    /// Whether the answer is complete.
    pub(crate) fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::EndOfTurn | Self::StopSequence)
    }
}
