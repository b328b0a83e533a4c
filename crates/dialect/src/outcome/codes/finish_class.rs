//! The meaning of a finish reason.

/// The meaning of the word with which a provider ends an answer (`finish_reason`, `stop_reason`, `done_reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishClass {
    /// The answer is complete, or calls tools.
    Complete,
    /// A limit of tokens: the answer is valid and not complete.
    Limit,
    /// The content filter or the model refused.
    Blocked,
    /// The provider failed while it answered.
    Unavailable,
    /// The model stopped for a reason that is not one of a valid answer. This is the meaning of every unknown word.
    Unfinished,
}
