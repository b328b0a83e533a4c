//! Whether a breaker can be forgotten.

use tokio::time::Instant;

use super::{
    Breaker,
    machine::{Machine, Mode},
};
use crate::route_state::{AtRest, Rest};

// === impl Breaker ===

impl AtRest for Breaker {
    fn rest(&self, now: Instant) -> Rest {
        match self.is_held() {
            true => Rest::Busy,
            // No time passes in it, so that there is nothing to tell.
            false => self.decide(|machine, _| machine.rest(now)),
        }
    }
}

// === impl Machine ===

impl Machine {
    /// What would be lost if it were made anew.
    fn rest(&mut self, now: Instant) -> Rest {
        match self.mode {
            Mode::Closed if self.window.sum(now).failed == 0 && self.opened_by.is_none() => {
                Rest::Settled
            }
            Mode::Open { until } if until > now => Rest::Busy,
            Mode::ForcedOpen | Mode::ForcedClosed => Rest::Busy,
            Mode::Closed | Mode::Open { .. } | Mode::HalfOpen(_) | Mode::Recovering(_) => {
                Rest::Fading
            }
        }
    }
}
