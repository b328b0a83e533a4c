//! The failure of a call, which is told when no retry has saved it.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{Breaker, ticket::Moment},
    context::Settle,
};

/// A failed attempt whose call has not ended.
pub(super) struct Unsettled {
    pub(super) breaker: Breaker,
    pub(super) generation: u64,
    /// How long the provider asked to be left alone.
    pub(super) wait: Option<Duration>,
}

// === impl Unsettled ===

impl Settle for Unsettled {
    fn fail(&self) {
        let (now, random) = (Instant::now(), fastrand::f64());
        self.breaker.decide(|machine, policy| {
            machine.fail_call(Moment { policy, now, random }, self.generation, self.wait);
        });
    }

    fn forgive(&self) {
        let (now, random) = (Instant::now(), fastrand::f64());
        self.breaker.decide(|machine, policy| {
            machine.forgive(Moment { policy, now, random }, self.generation);
        });
    }
}
