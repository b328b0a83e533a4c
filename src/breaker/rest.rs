//! Whether a breaker can be forgotten.

use tokio::time::Instant;

use super::{
    CircuitBreaker,
    machine::{Machine, StateData},
};
use crate::route_state::{AtRest, Rest};

// === impl CircuitBreaker ===

impl AtRest for CircuitBreaker {
    fn rest(&self, now: Instant) -> Rest {
        match self.is_held() {
            true => Rest::Busy,
            // Does not advance the time, so there are no changes to emit.
            false => self.decide(|machine, _| machine.rest(now)),
        }
    }
}

// === impl Machine ===

impl Machine {
    /// Whether evicting the breaker would lose state.
    fn rest(&mut self, now: Instant) -> Rest {
        match self.mode {
            StateData::Closed if self.window.sum(now).failed == 0 && self.opened_by.is_none() => {
                Rest::Settled
            }
            StateData::Open { until } if until > now => Rest::Busy,
            StateData::ForcedOpen | StateData::ForcedClosed => Rest::Busy,
            StateData::Closed
            | StateData::Open { .. }
            | StateData::HalfOpen(_)
            | StateData::Recovering(_) => Rest::Fading,
        }
    }
}
