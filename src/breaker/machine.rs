//! The state machine: a pure one, with the time and the random number as arguments.
//!
//! ```text
//!            consecutive · ratio · slow · exhausted
//!   Closed ─────────────────────────────────────────▶ Open ◀──────────────┐
//!     ▲                                                │ waited           │ a probe failed, was slow
//!     │ recovered                                      ▼                  │ or hung, or three were dropped
//!   Recovering ◀──────────── probes passed ───────── HalfOpen ────────────┤
//!     │  └─────────────── a bad share at the bottom · exhausted ──────────┘
//!     └─▶ a bad share above it: half the share
//! ```
//!
//! Time passes lazily: transitions that are due are made at the next call or query.

use std::{mem, time::Duration};

use tokio::time::Instant;

use crate::{
    breaker::{
        BreakerPolicy, BreakerSnapshot, CircuitState, Refusal, TransitionReason,
        admission_record::AdmissionRecord,
        decision_input::{CallerInfo, DecisionInput},
        failure_run::{FailureHistory, FailureRun},
        open_backoff::OpenBackoff,
        policy::Rule,
        probes::{ProbeSlot, Probes},
        ramp::Ramp,
        state::Transition,
        usual_latency::UsualLatency,
        window::{Counts, Window},
    },
    time::saturating_add,
};

/// The state and all counts of a breaker.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(super) mode: StateData,
    pub(super) window: Window,
    /// The current run of failing attempts and the attempts before it.
    pub(super) failing: FailureHistory,
    /// The run of failures that an answer ended which has begun but may still break off.
    pub(super) interrupted: Option<FailureRun>,
    pub(super) usual: UsualLatency,
    /// Since when the window has contained failures.
    pub(super) failing_since: Option<Instant>,
    /// When a connection was last lost.
    pub(super) lost: Option<Instant>,
    /// When a call was last let through although the route is suspicious.
    pub(super) checked: Option<Instant>,
    /// The current run of rejections of the credential and the attempts before it.
    pub(super) rejected: FailureHistory,
    /// Incremented when the breaker opens, lowers its share or is set explicitly: attempts admitted before that no longer count.
    /// It stays the same when the breaker recovers: the failure of a probe's body still counts then.
    pub(super) generation: u64,
    pub(super) openings: OpenBackoff,
    pub(super) opened_by: Option<TransitionReason>,
    /// When the current state began, and why; no reason before the first change.
    pub(super) since: Instant,
    pub(super) reason: Option<TransitionReason>,
    pub(super) steps: u64,
    /// Changes that are not emitted yet.
    pub(super) untold: Vec<Transition>,
}

#[derive(Debug)]
pub(super) enum StateData {
    Closed,
    Open { until: Instant },
    HalfOpen(Box<Probes>),
    Recovering(Ramp),
    ForcedOpen,
    ForcedClosed,
}

/// The fewest calls for a share while the breaker recovers: where one call in ten is let through, ten failures would be the
/// failures of a hundred calls. Also the fewest where no call has succeeded.
pub(super) const FEW: u32 = 5;

// === impl Machine ===

impl Machine {
    pub(crate) fn new(policy: &BreakerPolicy, now: Instant) -> Self {
        Self {
            mode: StateData::Closed,
            window: Window::new(policy.window, now),
            failing: FailureHistory::new(now),
            interrupted: None,
            usual: UsualLatency::default(),
            failing_since: None,
            lost: None,
            checked: None,
            rejected: FailureHistory::new(now),
            generation: 0,
            openings: OpenBackoff::default(),
            opened_by: None,
            since: now,
            reason: None,
            steps: 0,
            untold: Vec::new(),
        }
    }

    /// Admits a call or refuses it.
    pub(crate) fn admit(
        &mut self,
        at: DecisionInput<'_>,
        caller: CallerInfo,
    ) -> Result<AdmissionRecord, Refusal> {
        self.pass_time(at);
        let admitted = match &mut self.mode {
            StateData::Closed => self.suspect(at, caller).map_or(Ok(None), Err),
            StateData::ForcedClosed => Ok(None),
            StateData::Open { until } => Err(until.saturating_duration_since(at.now)),
            StateData::HalfOpen(probes) => probes.take(at, caller).map(Some),
            StateData::Recovering(ramp) => match ramp.admit(at) {
                Ok(()) => self.suspect(at, caller).map_or(Ok(None), Err),
                Err(retry_in) => Err(retry_in),
            },
            StateData::ForcedOpen => Err(*at.policy.open_backoff.end()),
        };
        match admitted {
            Ok(slot) => {
                if slot.is_none() {
                    self.failing.run.iter_mut().for_each(FailureRun::admit);
                    self.window.add(Counts::admitted(), at.now);
                }
                Ok(AdmissionRecord::new(Some(self.generation), at, caller, slot))
            }
            // A slow answer is better than none, and the provider's own rejection is more useful than a refusal.
            Err(_) if self.spares_others(at) && !caller.elsewhere => {
                Ok(AdmissionRecord::new(None, at, caller, None))
            }
            Err(retry_in) => Err(Refusal { state: self.state(), retry_in }),
        }
    }

    /// Whether a call that has waited since it was admitted may continue; else the time until it may.
    pub(crate) fn still_lets(
        &mut self,
        at: DecisionInput<'_>,
        caller: CallerInfo,
    ) -> Result<(), Duration> {
        self.pass_time(at);
        match self.mode {
            StateData::Open { until } => Err(until.saturating_duration_since(at.now)),
            StateData::HalfOpen(_) | StateData::ForcedOpen => Err(Duration::ZERO),
            StateData::Closed => self.suspect(at, caller).map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    /// A snapshot of the state.
    pub(crate) fn snapshot(&mut self, at: DecisionInput<'_>) -> BreakerSnapshot {
        self.pass_time(at);
        let counts = self.window.sum(at.now);
        let (share, probes, probe_in) = match &self.mode {
            StateData::Closed | StateData::ForcedClosed => (1.0, 0, None),
            StateData::Open { until } => (0.0, 0, Some(until.saturating_duration_since(at.now))),
            StateData::HalfOpen(probes) => (0.0, probes.under_way(), None),
            StateData::Recovering(ramp) => (ramp.share(at), 0, None),
            StateData::ForcedOpen => (0.0, 0, None),
        };
        BreakerSnapshot {
            state: self.state(),
            share,
            failure_ratio: counts.failure_ratio(),
            slow_ratio: counts.slow_ratio(),
            calls: counts.ended,
            consecutive_failures: self.failing.run.map_or(0, |run| run.calls),
            probes,
            probe_in,
            opened_by: self.opened_by,
            since: self.since,
            reason: self.reason,
        }
    }

    /// Until when the breaker lets no call through; `None` if it does now.
    pub(crate) fn open_until(&mut self, at: DecisionInput<'_>) -> Option<Instant> {
        self.pass_time(at);
        match self.mode {
            StateData::Open { until } => Some(until),
            StateData::ForcedOpen => Some(saturating_add(at.now, Duration::MAX)),
            _ => None,
        }
    }

    /// Takes the changes since the last call of this function, in order.
    pub(crate) fn drain_events(&mut self) -> Vec<Transition> {
        mem::take(&mut self.untold)
    }

    pub(super) fn state(&self) -> CircuitState {
        match self.mode {
            StateData::Closed => CircuitState::Closed,
            StateData::Open { .. } => CircuitState::Open,
            StateData::HalfOpen(_) => CircuitState::HalfOpen,
            StateData::Recovering(_) => CircuitState::Recovering,
            StateData::ForcedOpen => CircuitState::ForcedOpen,
            StateData::ForcedClosed => CircuitState::ForcedClosed,
        }
    }

    /// Whether an attempt of that generation was admitted since the last opening, and the breaker counts at all.
    pub(super) fn is_current(&mut self, at: DecisionInput<'_>, generation: Option<u64>) -> bool {
        self.pass_time(at);
        generation == Some(self.generation) && !matches!(self.mode, StateData::ForcedClosed)
    }

    /// Takes the slot of a probe; `None` once other probes have decided that the breaker recovers.
    pub(super) fn undecided(&self, ticket: &mut AdmissionRecord) -> Option<ProbeSlot> {
        ticket.slot.take().filter(|_| matches!(self.mode, StateData::HalfOpen(_)))
    }

    /// Whether calls without another target are let through, because the breaker opened by a default rule for slowness or
    /// rejections.
    fn spares_others(&self, at: DecisionInput<'_>) -> bool {
        match self.opened_by {
            _ if matches!(self.mode, StateData::ForcedOpen) => false,
            Some(TransitionReason::Slow) => at.policy.slow_after.is_none(),
            Some(TransitionReason::Unauthorized) => {
                matches!(at.policy.unauthorized, Some(Rule::Improbable(_)))
            }
            _ => false,
        }
    }
}
