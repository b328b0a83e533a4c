//! Why an answer ended.

/// Why an answer, or one choice of it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finish {
    /// The choice; `None` for the answer as a whole.
    pub(crate) choice: Option<u32>,
    pub(crate) reason: FinishReason,
}

/// A reason to end, in the words that all dialects share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinishReason {
    /// It is complete, or calls tools; also a reason that is not known.
    Complete,
    /// The model ended its turn: with next to no tokens it had nothing to add, and that is right.
    EndOfTurn,
    /// It met a stop sequence of the caller, where the dialect has a reason of its own for that.
    StopSequence,
    /// A limit of the caller's or the model's.
    Limit,
    /// The provider's content filter, or the model, refused.
    Filtered,
    /// It ended, and is not complete: it can be gone on with, or something else went wrong.
    Interrupted,
}

// === impl FinishReason ===

impl FinishReason {
    /// Whether the answer has all that it was to have.
    pub(crate) fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::EndOfTurn | Self::StopSequence)
    }
}
