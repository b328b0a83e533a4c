//! A threshold, and a time for each kind of answer.

use std::time::Duration;

/// A threshold, and how it is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::breaker) enum Rule<T> {
    /// By default: reached where chance does not explain it.
    Improbable(T),
    /// Set by hand: reached where it is reached.
    Exact(T),
}

/// A time for each kind of answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::breaker) struct AttemptLimits {
    /// To the first event of a stream.
    pub(in crate::breaker) first: Duration,
    /// To the whole of an answer that is not streamed.
    pub(in crate::breaker) whole: Duration,
}

// === impl Rule ===

impl<T> Rule<T> {
    /// The threshold.
    pub(in crate::breaker) fn value(self) -> T {
        match self {
            Self::Improbable(value) | Self::Exact(value) => value,
        }
    }
}

// === impl AttemptLimits ===

impl AttemptLimits {
    pub(in crate::breaker) fn of(&self, whole: bool) -> Duration {
        if whole { self.whole } else { self.first }
    }
}
