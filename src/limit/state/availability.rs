//! The availability of a route, without asking for admission.

use std::time::Duration;

use tokio::time::Instant;

use super::RouteLimiterState;
use crate::{Availability, context::Priority, limit::cost::Cost};

// === impl RouteLimiterState ===

impl RouteLimiterState {
    /// The availability for an interactive call that arrives now and can wait for at most `max_wait`.
    pub(in crate::limit) fn availability(&self, max_wait: Duration, now: Instant) -> Availability {
        let wait = self.expected_wait(Priority::Interactive, Cost::REQUEST, now);
        let goes_now = wait.is_zero() && self.queue.is_empty() && self.concurrency.has_room();
        if self.cooldown.is_probe_due(now) {
            return Availability::PROBE_ONLY;
        }
        if let Some(closed_for) = self.closed_for(now) {
            return Availability::Unavailable { back_in: Some(closed_for.max(wait)) };
        }
        let is_full = self.queue.len_of(Priority::Interactive) >= self.max_queue;
        match (goes_now, wait > max_wait || is_full) {
            (true, _) => Availability::Clear,
            (false, true) => Availability::Unavailable { back_in: Some(wait) },
            (false, false) => Availability::Degraded { share: 1.0, wait },
        }
    }
}
