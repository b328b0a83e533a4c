//! What follows from the limits of the attempts where it was not set by hand.

use std::time::Duration;

use super::{AttemptLimits, BreakerPolicy};

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// The limits of the attempts below it, from which all follows that was not set: what is slow, when a probe hangs, and
    /// whether an attempt that the caller's deadline ended had its time.
    pub(crate) fn fitted(mut self, first: Duration, whole: Duration) -> Self {
        self.limits = AttemptLimits { first, whole };
        self
    }

    /// The limit of an attempt.
    pub(in crate::breaker) fn limit(&self, whole: bool) -> Duration {
        self.limits.of(whole)
    }

    /// When a probe hangs.
    pub(in crate::breaker) fn effective_probe_timeout(&self) -> Duration {
        self.probe_timeout.unwrap_or(self.limits.first.max(self.limits.whole))
    }
}
