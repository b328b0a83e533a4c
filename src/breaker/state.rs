//! The words of a breaker: its state, why it changed, what it shows and how it refuses.

use std::{fmt, time::Duration};

use crate::{Error, context::Suspected, outcome::Outcome};

/// The state of a breaker: one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// All calls are let through.
    Closed,
    /// No call is let through.
    Open,
    /// A probe at a time is let through.
    HalfOpen,
    /// A growing share of the calls is let through.
    Recovering,
    /// No call is let through until somebody says otherwise.
    ForcedOpen,
    /// All calls are let through and none is counted until somebody says otherwise.
    ForcedClosed,
}

/// Why a breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransitionReason {
    /// Opened: failures in a row.
    Consecutive,
    /// Opened: the share of failures.
    Ratio,
    /// Opened: the share of slow calls.
    Slow,
    /// Opened: the quota is exhausted.
    Exhausted,
    /// Opened: the credential was rejected, again and again.
    Unauthorized,
    /// Opened again: a probe failed, or was pushed back.
    ProbeFailed,
    /// Opened again: a probe was slow, whatever came of it.
    ProbeSlow,
    /// Opened again: a probe was dropped before it came to anything.
    ProbeDropped,
    /// Opened again: a probe had no answer within its limit.
    ProbeHung,
    /// Half-open: it was open for as long as it had to be.
    Waited,
    /// Recovering, or closed where there is no ramp: enough probes succeeded.
    ProbesPassed,
    /// Closed: all calls are let through again.
    Recovered,
    /// Forced by hand.
    Forced,
    /// Closed by hand.
    Reset,
}

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
    pub(crate) why: TransitionReason,
    pub(crate) lasts: Option<Duration>,
}

// === impl CircuitState ===

impl CircuitState {
    /// The word for it in spans, metrics and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Recovering => "recovering",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
        }
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl TransitionReason ===

impl TransitionReason {
    /// The word for it in spans, metrics and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consecutive => "consecutive",
            Self::Ratio => "ratio",
            Self::Slow => "slow",
            Self::Exhausted => "exhausted",
            Self::Unauthorized => "unauthorized",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeSlow => "probe_slow",
            Self::ProbeDropped => "probe_dropped",
            Self::ProbeHung => "probe_hung",
            Self::Waited => "waited",
            Self::ProbesPassed => "probes_passed",
            Self::Recovered => "recovered",
            Self::Forced => "forced",
            Self::Reset => "reset",
        }
    }
}

impl fmt::Display for TransitionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
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
