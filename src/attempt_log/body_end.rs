//! How a body ended.

use crate::outcome::Outcome;

/// How a body ended. Every body has exactly one end, even if it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyEnd {
    /// Complete: the API's end marker was seen, or a body without one ended as HTTP requires.
    Done,
    /// The bytes ended, or the connection broke, before the API's end marker.
    Truncated,
    /// An error in the stream, or a timeout.
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
