//! Values derived from the limits of the attempts where they are not set explicitly, and policies with all their times scaled.

use std::time::Duration;

use super::BreakerPolicy;
use crate::time::{AnswerTimes, scale};

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// Sets the limits of the attempts below the breaker:
    /// [`TimeoutPolicy::answer_times`](crate::timeout::TimeoutPolicy::answer_times) of the timeouts there.
    ///
    /// Values that are not set are derived from them: when a call is slow, when a probe hangs, and whether an attempt that the
    /// caller's deadline ended ran for its own limit. 20 s each by default; a [`Client`](crate::Client) sets them.
    #[must_use]
    pub fn attempt_limits(mut self, limits: AnswerTimes) -> Self {
        self.limits = limits;
        self
    }

    /// The limit of an attempt.
    pub(in crate::breaker) fn limit(&self, whole: bool) -> Duration {
        self.limits.of(whole)
    }

    /// The time after which a probe is considered hung.
    pub(in crate::breaker) fn effective_probe_timeout(&self) -> Duration {
        self.probe_timeout.unwrap_or(self.limits.first_event.max(self.limits.whole_answer))
    }

    /// Scales all times.
    pub(crate) fn scaled(mut self, by: f64) -> Self {
        let slow = self
            .slow_after
            .iter_mut()
            .flat_map(|limits| [&mut limits.first_event, &mut limits.whole_answer]);
        slow.chain(&mut self.probe_timeout).for_each(|time| *time = scale(*time, by));
        let times = [
            &mut self.limits.first_event,
            &mut self.limits.whole_answer,
            &mut self.min_span,
            &mut self.window,
            &mut self.max_hint,
            &mut self.ramp,
        ];
        for time in times {
            *time = scale(*time, by);
        }
        for range in [&mut self.open_backoff, &mut self.quota_backoff] {
            *range = scale(*range.start(), by)..=scale(*range.end(), by);
        }
        self
    }
}
