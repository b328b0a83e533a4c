//! What a call may expect of a breaker: only read.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Availability,
    breaker::{
        CircuitBreaker,
        machine::{Machine, Mode},
        moment::Moment,
    },
};

// === impl CircuitBreaker ===

impl CircuitBreaker {
    /// What a call may expect at `now`: both it and its herd have to let the call through.
    pub(crate) fn availability(&self, now: Instant) -> Availability {
        let own = self
            .decide(|machine, policy| machine.availability(Moment { policy, now, random: 0.5 }));
        own.and(self.above().map_or(Availability::Clear, |above| above.availability(now)))
    }
}

// === impl Machine ===

impl Machine {
    /// What a call may expect now. Only read: what the clock has brought about is noted when a call comes.
    pub(crate) fn availability(&self, at: Moment<'_>) -> Availability {
        match &self.mode {
            Mode::Closed | Mode::ForcedClosed => Availability::Clear,
            Mode::ForcedOpen => Availability::Unavailable { back_in: None },
            Mode::Open { until } if *until > at.now => {
                Availability::Unavailable { back_in: Some(until.saturating_duration_since(at.now)) }
            }
            Mode::Open { .. } | Mode::HalfOpen(_) => Availability::PROBE_ONLY,
            Mode::Recovering(ramp) if ramp.ends(at.policy) <= at.now => Availability::Clear,
            Mode::Recovering(ramp) => {
                Availability::Degraded { share: ramp.share(at), wait: Duration::ZERO }
            }
        }
    }
}
