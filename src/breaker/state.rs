//! The snapshot of a breaker, and its refusals.

use std::time::Duration;

use tokio::time::Instant;

use crate::circuit_state::{CircuitState, TransitionReason};
use crate::{Error, context::Suspected, outcome::Outcome};

/// A snapshot of a breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// The state.
    pub state: CircuitState,
    /// The share of calls let through, from 0 to 1; 0 while half-open, where only probes pass.
    pub share: f64,
    /// The share of failures among the calls in the window; `None` without any calls.
    pub failure_ratio: Option<f64>,
    /// The share of slow calls among those in the window with a known latency; `None` without any.
    pub slow_ratio: Option<f64>,
    /// The number of calls in the window with an outcome.
    pub calls: u32,
    /// The current number of failures in a row.
    pub consecutive_failures: u32,
    /// The number of probes under way.
    pub probes: u32,
    /// While open: the time until the next probe is let through.
    pub probe_in: Option<Duration>,
    /// Why the breaker opened; `None` once it is closed again.
    pub opened_by: Option<TransitionReason>,
    /// Since when it has been in this state: of a breaker that never changed its state, since it was made.
    pub since: Instant,
    /// Why it entered this state; `None` if it never changed its state.
    pub reason: Option<TransitionReason>,
}

/// A call that a breaker refused. No request was sent.
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

    /// When to retry. Exact while open; a random moment while half-open or recovering, so that waiting calls do not all return at
    /// once.
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
