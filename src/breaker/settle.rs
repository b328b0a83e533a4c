//! The failure of a call, counted when no retry has saved the call.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{CircuitBreaker, decision_input::DecisionInput, machine::Machine},
    error::Settle,
};

/// A failed attempt whose call has not ended yet.
pub(super) struct Unsettled {
    pub(super) breaker: CircuitBreaker,
    pub(super) generation: Option<u64>,
    /// The wait that the provider asked for.
    pub(super) wait: Option<Duration>,
}

// === impl Unsettled ===

impl Unsettled {
    fn decide(&self, decide: impl FnOnce(&mut Machine, DecisionInput<'_>)) {
        let (now, random) = (Instant::now(), fastrand::f64());
        self.breaker
            .decide(|machine, policy| decide(machine, DecisionInput { policy, now, random }));
    }
}

impl Settle for Unsettled {
    fn fail(&self) {
        self.decide(|machine, at| machine.fail_call(at, self.generation, self.wait));
    }

    fn forgive(&self) {
        self.decide(|machine, at| machine.forgive(at, self.generation));
    }
}
