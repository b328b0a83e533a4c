//! The failure of a call, which is told when no retry has saved it.

use std::time::Duration;

use crate::{breaker::Breaker, context::Settle};

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
        self.breaker.settle(self.generation, true, self.wait);
    }

    fn forgive(&self) {
        self.breaker.settle(self.generation, false, None);
    }
}
