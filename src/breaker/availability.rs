//! The availability of a breaker, without changing its state.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Availability,
    breaker::{
        CircuitBreaker,
        decision_input::DecisionInput,
        machine::{Machine, StateData},
    },
};

// === impl CircuitBreaker ===

impl CircuitBreaker {
    /// The availability at `now`: both the breaker and its coarse breaker have to let the call through.
    pub(crate) fn availability(&self, now: Instant) -> Availability {
        let own = self.decide(|machine, policy| {
            machine.availability(DecisionInput { policy, now, random: 0.5 })
        });
        own.and(self.above().map_or(Availability::Clear, |above| above.availability(now)))
    }
}

// === impl Machine ===

impl Machine {
    /// The availability now. Does not change the state: a transition that is due is made when the next call arrives.
    pub(crate) fn availability(&self, at: DecisionInput<'_>) -> Availability {
        match &self.mode {
            StateData::Closed | StateData::ForcedClosed => Availability::Clear,
            StateData::ForcedOpen => Availability::Unavailable { back_in: None },
            StateData::Open { until } if *until > at.now => {
                Availability::Unavailable { back_in: Some(until.saturating_duration_since(at.now)) }
            }
            StateData::Open { .. } | StateData::HalfOpen(_) => Availability::PROBE_ONLY,
            StateData::Recovering(ramp) if ramp.ends(at.policy) <= at.now => Availability::Clear,
            StateData::Recovering(ramp) => {
                Availability::Degraded { share: ramp.share(at), wait: Duration::ZERO }
            }
        }
    }
}
