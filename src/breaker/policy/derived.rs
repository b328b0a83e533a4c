//! What follows from the limits of the attempts where it was not set by hand.

use std::time::Duration;

use super::BreakerPolicy;
use crate::time::AnswerTimes;

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// The limits of the attempts below the breaker: [`TimeoutPolicy::answer_times`](crate::timeout::TimeoutPolicy::answer_times)
    /// of the timeouts there. What is not set follows from them: when a call is slow, when a probe hangs, and whether an attempt that
    /// the caller's deadline ended had its time. 20 s each by default; a [`Client`](crate::Client) sets them.
    #[must_use]
    pub fn attempt_limits(mut self, limits: AnswerTimes) -> Self {
        self.limits = limits;
        self
    }

    /// The limit of an attempt.
    pub(in crate::breaker) fn limit(&self, whole: bool) -> Duration {
        self.limits.of(whole)
    }

    /// When a probe hangs.
    pub(in crate::breaker) fn effective_probe_timeout(&self) -> Duration {
        self.probe_timeout.unwrap_or(self.limits.first_event.max(self.limits.whole_answer))
    }
}
