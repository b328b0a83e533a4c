//! How a body ended.

use crate::outcome::Outcome;

/// How a body ended. Every body has exactly one ending, also one that is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyEnd {
    /// Whole: the API's own end was seen, or the bytes of a body without one ended as HTTP says they should.
    Done,
    /// The bytes ended, or the connection broke, before the API's own end.
    Truncated,
    /// An error in the stream, or a limit of ours that passed in silence.
    Failed(Outcome),
    /// Dropped by the caller before its end.
    Cancelled,
}

// === impl BodyEnd ===

impl BodyEnd {
    /// The outcome of an attempt whose body ended in this way.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Done => Outcome::Success,
            Self::Truncated => Outcome::Truncated,
            Self::Failed(outcome) => *outcome,
            Self::Cancelled => Outcome::Cancelled,
        }
    }
}

impl From<Outcome> for BodyEnd {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Done,
            Outcome::Truncated => Self::Truncated,
            Outcome::Cancelled => Self::Cancelled,
            other => Self::Failed(other),
        }
    }
}
