//! The transitions between the states.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{
        TransitionReason,
        admission_record::AdmissionRecord,
        decision_input::DecisionInput,
        failure_run::{FailureHistory, Past, shows_more_than},
        machine::{FEW, Machine, StateData},
        open_backoff::OpenBackoff,
        policy::Rule,
        probes::{ProbeSlot, Probes},
        ramp::Ramp,
        state::Transition,
        usual_latency::UsualLatency,
        window::Counts,
    },
    time::saturating_add,
};

/// Why a state is entered, and when.
pub(super) struct Cause {
    reason: TransitionReason,
    since: Instant,
    /// How long it stays open, if it opens.
    lasts: Option<Duration>,
}

// === impl Cause ===

impl Cause {
    pub(super) fn new(reason: TransitionReason, since: Instant) -> Self {
        Self { reason, since, lasts: None }
    }
}

// === impl Machine ===

impl Machine {
    /// Opens until it is reset.
    pub(crate) fn force_open(&mut self, now: Instant) {
        self.by_hand(StateData::ForcedOpen, TransitionReason::Forced, now);
    }

    /// Lets all calls through and counts none until it is reset.
    pub(crate) fn force_closed(&mut self, now: Instant) {
        self.by_hand(StateData::ForcedClosed, TransitionReason::Forced, now);
    }

    /// Closes and clears all counts.
    pub(crate) fn reset(&mut self, now: Instant) {
        self.by_hand(StateData::Closed, TransitionReason::Reset, now);
    }

    /// Makes the transitions that are due at `at.now`. Each iteration leaves a state; half-open without a probe stays.
    pub(super) fn pass_time(&mut self, at: DecisionInput<'_>) {
        loop {
            match &self.mode {
                StateData::Open { until } if *until <= at.now => {
                    let since = *until;
                    let probes = Probes::new(since, self.usual.of(false).or(self.usual.of(true)));
                    let cause = Cause::new(TransitionReason::Waited, since);
                    self.enter(StateData::HalfOpen(probes.into()), cause);
                }
                StateData::HalfOpen(probes) => match probes.first_hangs() {
                    // The breaker opened at that moment, not when it was queried.
                    Some(then) if then <= at.now => {
                        self.open(
                            DecisionInput { now: then, ..at },
                            TransitionReason::ProbeHung,
                            None,
                        );
                    }
                    _ => return,
                },
                StateData::Recovering(ramp) if ramp.ends(at.policy) <= at.now => {
                    let since = ramp.ends(at.policy);
                    self.close(Cause::new(TransitionReason::Recovered, since));
                }
                _ => return,
            }
        }
    }

    /// Opens, or lowers the share, if the current counts require it.
    pub(super) fn evaluate_trip(
        &mut self,
        at: DecisionInput<'_>,
        counts: Counts,
        wait: Option<Duration>,
    ) {
        // Most calls succeed and end after two comparisons.
        if counts.failed == 0 {
            self.failing_since = None;
        }
        let why = if counts.failed > 0 && self.fails_too_often(at, counts) {
            TransitionReason::Ratio
        } else if counts.slow > 0 && self.is_too_slow(at, counts) {
            TransitionReason::Slow
        } else {
            return;
        };
        self.open_or_lower(at, why, wait);
    }

    fn fails_too_often(&self, at: DecisionInput<'_>, counts: Counts) -> bool {
        let policy = at.policy;
        match policy.failure_ratio {
            None => false,
            Some(Rule::Exact(share)) => {
                counts.ended >= self.enough(at)
                    && counts.failure_ratio().is_some_and(|failed| failed >= share)
            }
            Some(Rule::Improbable(share)) => {
                let spans = self
                    .failing_since
                    .is_some_and(|since| saturating_add(since, policy.min_span) <= at.now);
                let begun = counts.begun();
                let all = counts.failed == counts.ended;
                let enough = if all { policy.min_calls.min(FEW) } else { self.enough(at) };
                spans
                    && counts.ended >= enough
                    && shows_more_than(
                        share,
                        counts.failed,
                        begun,
                        self.failing.past.share_chance(),
                    )
            }
        }
    }

    fn is_too_slow(&self, at: DecisionInput<'_>, counts: Counts) -> bool {
        let share = counts.slow_ratio().zip(at.policy.slow_ratio);
        counts.timed >= self.enough(at) && share.is_some_and(|(slow, most)| slow >= most)
    }

    /// The fewest calls for a share.
    fn enough(&self, at: DecisionInput<'_>) -> u32 {
        match self.mode {
            StateData::Recovering(_) => at.policy.min_calls.min(FEW),
            _ => at.policy.min_calls,
        }
    }

    /// Opens, or halves the share while it recovers above the bottom: too much load there, else the route is unhealthy.
    pub(super) fn open_or_lower(
        &mut self,
        at: DecisionInput<'_>,
        why: TransitionReason,
        wait: Option<Duration>,
    ) {
        let lower = match &self.mode {
            // No call has succeeded, so the load is not the reason.
            StateData::Recovering(_) if self.window.sum(at.now).succeeded() == 0 => None,
            StateData::Recovering(ramp) => ramp.lower(at),
            _ => None,
        };
        match lower {
            Some(ramp) => {
                self.generation += 1;
                self.enter(StateData::Recovering(ramp), Cause::new(why, at.now));
            }
            None => self.open(at, why, wait),
        }
    }

    /// Frees the slot of a probe that was no evidence, for another probe.
    pub(super) fn release_probe(&mut self, slot: ProbeSlot) {
        if let StateData::HalfOpen(probes) = &mut self.mode {
            probes.free(slot);
        }
    }

    /// Counts a rejection of the credential, and returns whether it opens the breaker. One rejected probe does, if the breaker
    /// opened for rejections.
    pub(super) fn credential_locked_out(
        &mut self,
        at: DecisionInput<'_>,
        ticket: &AdmissionRecord,
    ) -> bool {
        let probing = matches!(self.mode, StateData::HalfOpen(_));
        if probing && self.opened_by == Some(TransitionReason::Unauthorized) {
            return true;
        }
        let run = self.rejected.fail(ticket.failing(at.now), at.policy);
        run.locks_out(at.policy, &self.rejected.past)
    }

    pub(super) fn open(
        &mut self,
        at: DecisionInput<'_>,
        why: TransitionReason,
        wait: Option<Duration>,
    ) {
        let lasts = self.openings.next(at, why, wait);
        self.generation += 1;
        self.opened_by = Some(why);
        let cause = Cause { lasts: Some(lasts), ..Cause::new(why, at.now) };
        self.enter(StateData::Open { until: saturating_add(at.now, lasts) }, cause);
    }

    pub(super) fn recover(&mut self, at: DecisionInput<'_>) {
        let cause = Cause::new(TransitionReason::ProbesPassed, at.now);
        if at.policy.ramp.is_zero() {
            self.close(cause);
        } else {
            self.enter(StateData::Recovering(Ramp::new(at)), cause);
        }
    }

    pub(super) fn close(&mut self, cause: Cause) {
        self.openings = OpenBackoff::default();
        self.opened_by = None;
        self.enter(StateData::Closed, cause);
    }

    fn by_hand(&mut self, mode: StateData, why: TransitionReason, now: Instant) {
        self.generation += 1;
        self.openings = OpenBackoff::default();
        self.opened_by = None;
        (self.failing.past, self.usual) = (Past::new(now), UsualLatency::default());
        self.rejected = FailureHistory::new(now);
        self.enter(mode, Cause::new(why, now));
    }

    /// The one place where the state changes: no count of the previous state is kept.
    fn enter(&mut self, mode: StateData, cause: Cause) {
        let from = self.state();
        self.mode = mode;
        self.window.clear();
        self.failing.run = None;
        // A credential that was rejected and is accepted again does not end an outage: the rejections concerned some calls only.
        if let Some(run) = self.rejected.run.take() {
            self.rejected.past.take_in(run.failed);
        }
        (self.interrupted, self.failing_since) = (None, None);
        let to = self.state();
        if from != to {
            let Cause { reason, since, lasts } = cause;
            (self.since, self.reason) = (since, Some(reason));
            self.steps += 1;
            self.untold.push(Transition { number: self.steps, from, to, reason, lasts });
        }
    }
}
