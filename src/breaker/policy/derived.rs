//! What follows from the limits of the attempts where it was not set by hand.

use std::time::Duration;

use super::BreakerPolicy;

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
pub(in crate::breaker) struct Limits {
    /// To the first event of a stream.
    pub(in crate::breaker) first: Duration,
    /// To the whole of an answer that is not streamed.
    pub(in crate::breaker) whole: Duration,
}

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// The limits of the attempts below it, from which all follows that was not set: what is slow, when a probe hangs, and
    /// whether an attempt that the caller's deadline ended had its time.
    pub(crate) fn fitted(mut self, first: Duration, whole: Duration) -> Self {
        self.limits = Limits { first, whole };
        self
    }

    /// The limit of an attempt.
    pub(in crate::breaker) fn limit(&self, whole: bool) -> Duration {
        self.limits.of(whole)
    }

    /// When a probe hangs.
    pub(in crate::breaker) fn probe_hangs(&self) -> Duration {
        self.probe_limit.unwrap_or(self.limits.first.max(self.limits.whole))
    }
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

// === impl Limits ===

impl Limits {
    pub(in crate::breaker) fn of(&self, whole: bool) -> Duration {
        if whole { self.whole } else { self.first }
    }
}
