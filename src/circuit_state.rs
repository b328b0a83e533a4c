//! The states of a circuit breaker, and the reasons of its transitions.

use std::fmt;

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// All calls are let through.
    Closed,
    /// No call is let through.
    Open,
    /// One probe at a time is let through.
    HalfOpen,
    /// A growing share of the calls is let through.
    Recovering,
    /// No call is let through until the breaker is reset or forced otherwise.
    ForcedOpen,
    /// All calls are let through and none is counted until the breaker is reset or forced otherwise.
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
    /// Opened: the credential was rejected repeatedly.
    Unauthorized,
    /// Opened again: a probe failed or was rate limited.
    ProbeFailed,
    /// Opened again: a probe was slow, whatever its outcome.
    ProbeSlow,
    /// Opened again: a probe was dropped before it had an outcome.
    ProbeDropped,
    /// Opened again: a probe had no answer within its limit.
    ProbeHung,
    /// Half-open: the open time is over.
    Waited,
    /// Recovering, or closed if there is no ramp: enough probes succeeded.
    ProbesPassed,
    /// Closed: all calls are let through again.
    Recovered,
    /// Forced open or closed by the application.
    Forced,
    /// Closed by a reset of the application.
    Reset,
}

// === impl CircuitState ===

impl CircuitState {
    /// The name in spans, metrics and events.
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
    /// The name in spans, metrics and events.
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
