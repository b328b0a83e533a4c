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

    /// What the state does, for people: `lets no call through`.
    pub fn description(self) -> &'static str {
        match self {
            Self::Closed => "lets every call through",
            Self::Open => "lets no call through",
            Self::HalfOpen => "lets one probe at a time through",
            Self::Recovering => "lets a growing share of the calls through",
            Self::ForcedOpen => "lets no call through until it is reset",
            Self::ForcedClosed => "lets every call through and counts none until it is reset",
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

    /// The cause of the transition, for people, as a clause after "because": `its attempts failed in a row`.
    pub fn description(self) -> &'static str {
        match self {
            Self::Consecutive => "its attempts failed in a row",
            Self::Ratio => "too many of its calls failed",
            Self::Slow => "too many of its answers were slow",
            Self::Exhausted => "the quota is exhausted",
            Self::Unauthorized => "the credential was rejected repeatedly",
            Self::ProbeFailed => "the probe failed",
            Self::ProbeSlow => "the probe was slow",
            Self::ProbeDropped => "the callers of its probes left before the answer",
            Self::ProbeHung => "the probe had no answer within its limit",
            Self::Waited => "the open time is over",
            Self::ProbesPassed => "enough probes were answered",
            Self::Recovered => "the whole load was let through and answered",
            Self::Forced => "the application forced it",
            Self::Reset => "the application reset it",
        }
    }
}

impl fmt::Display for TransitionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
