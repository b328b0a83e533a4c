//! The state that all calls of one retry layer share.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use super::{Budgets, RetryPolicy};
use crate::{sync::lock_std as lock, telemetry::EventSink};

/// The state that all calls of one layer share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) policy: RetryPolicy,
    pub(super) budgets: Budgets,
    pub(super) random: Random,
    pub(super) events: EventSink,
}

/// The source of the jitter.
#[derive(Clone)]
pub(super) enum Random {
    Thread,
    Seeded(Arc<Mutex<fastrand::Rng>>),
}

// === impl Random ===

impl Random {
    /// A number in `[0, 1)`.
    pub(super) fn next(&self) -> f64 {
        match self {
            Self::Thread => fastrand::f64(),
            Self::Seeded(random) => lock(random).f64(),
        }
    }
}

// === impl Shared ===

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("policy", &self.policy)
            .field("budgets", &self.budgets)
            .field("events", &self.events)
            .finish()
    }
}
