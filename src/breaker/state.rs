//! What a breaker shows of itself, and how it refuses.

use std::time::Duration;

use crate::circuit_state::{CircuitState, TransitionReason};
use crate::{Error, context::Suspected, outcome::Outcome};

/// What a breaker shows of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// Its state.
    pub state: CircuitState,
    /// The share of calls it lets through, from 0 to 1; 0 while half-open, where only probes pass.
    pub share: f64,
    /// The share of failures among the calls in the window; `None` without any.
    pub failure_ratio: Option<f64>,
    /// The share of slow calls among those in the window whose latency is known; `None` without any.
    pub slow_ratio: Option<f64>,
    /// How many calls in the window came to something.
    pub calls: u32,
    /// Failures in a row up to now.
    pub consecutive_failures: u32,
    /// How many probes are under way.
    pub probes: u32,
    /// While open: how long until the next probe is let through.
    pub probe_in: Option<Duration>,
    /// Why it opened, until it is closed again.
    pub opened_by: Option<TransitionReason>,
}

/// A call that a breaker did not let through. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) state: CircuitState,
    pub(super) retry_in: Duration,
}

/// One change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) number: u64,
    pub(crate) from: CircuitState,
    pub(crate) to: CircuitState,
    pub(crate) reason: TransitionReason,
    pub(crate) lasts: Option<Duration>,
}

// === impl Refusal ===

impl Refusal {
    /// The state of the breaker that refused.
    pub fn state(&self) -> CircuitState {
        self.state
    }

    /// When it is worth coming back. Exact while open; while half-open or recovering, a moment by chance, so that calls
    /// which wait do not all come back at once.
    pub fn retry_in(&self) -> Duration {
        self.retry_in
    }

    /// The refusal as an outcome.
    pub fn outcome(&self) -> Outcome {
        Outcome::NotSent { retry_in: Some(self.retry_in) }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Self::new(refusal.outcome());
        match refusal.state {
            CircuitState::Closed => error.with_source(Suspected),
            _ => error,
        }
    }
}
