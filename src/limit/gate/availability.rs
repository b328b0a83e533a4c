//! What a call may expect at the gate: only read.

use std::time::Duration;

use tokio::time::Instant;

use super::Gate;
use crate::{Availability, context::Priority, limit::tokens::Cost};

// === impl Gate ===

impl Gate {
    /// What an interactive call may expect that came now and could wait so long.
    pub(in crate::limit) fn availability(&self, longest: Duration, now: Instant) -> Availability {
        let wait = self.expected(Priority::Interactive, Cost::REQUEST, now);
        let goes = wait.is_zero() && self.line.is_empty() && self.slots.is_free();
        if self.closing.is_probe_due(now) {
            return Availability::BARELY;
        }
        if let Some(closed) = self.closed_for(now) {
            return Availability::Out { back_in: Some(closed.max(wait)) };
        }
        match (goes, wait > longest || self.line.of(Priority::Interactive) >= self.queue) {
            (true, _) => Availability::Clear,
            (false, true) => Availability::Out { back_in: Some(wait) },
            (false, false) => Availability::Degraded { share: 1.0, wait },
        }
    }
}
