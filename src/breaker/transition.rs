//! Every way from one state to another.

use std::time::Duration;

use crate::{
    breaker::{
        Cause,
        machine::{Machine, Mode},
        opening::Openings,
        probes::{Probes, Slot},
        ramp::Ramp,
        state::Step,
        ticket::Moment,
        window::Counts,
    },
    context::later,
};

/// While it recovers so few calls are enough for each rule: where one call in ten is let through, ten failures would be the
/// failures of a hundred calls.
const FEW: u32 = 3;

// === impl Machine ===

impl Machine {
    /// Opens until somebody says otherwise.
    pub(crate) fn force_open(&mut self) {
        self.by_hand(Mode::ForcedOpen, Cause::Forced);
    }

    /// Lets all calls through and counts none until somebody says otherwise.
    pub(crate) fn force_closed(&mut self) {
        self.by_hand(Mode::ForcedClosed, Cause::Forced);
    }

    /// Closes, and forgets everything.
    pub(crate) fn reset(&mut self) {
        self.by_hand(Mode::Closed, Cause::Reset);
    }

    /// Does what the clock alone brings about. Each turn leaves a state behind, and half-open without a probe stays.
    pub(super) fn pass_time(&mut self, at: Moment<'_>) {
        loop {
            match &self.mode {
                Mode::Open { until } if *until <= at.now => {
                    self.enter(Mode::HalfOpen(Probes::default()), Cause::Waited, None);
                }
                Mode::HalfOpen(probes) => match probes.first_hangs() {
                    // It opened in that moment, not when somebody came to see.
                    Some(then) if then <= at.now => {
                        self.open(Moment { now: then, ..at }, Cause::ProbeHung, None);
                    }
                    _ => return,
                },
                Mode::Recovering(ramp) if ramp.ends(at.policy) <= at.now => {
                    self.close(Cause::Recovered);
                }
                _ => return,
            }
        }
    }

    /// Opens if there is a reason to in what is counted by now.
    pub(super) fn weigh(&mut self, at: Moment<'_>, counts: Counts, wait: Option<Duration>) {
        let policy = at.policy;
        let few = if matches!(self.mode, Mode::Recovering(_)) { FEW } else { u32::MAX };
        let enough = policy.minimum.min(few);
        let reaches = |share: Option<f64>, limit: Option<f64>| {
            share.zip(limit).is_some_and(|(share, limit)| share >= limit)
        };
        // Most calls are well, and are done with two comparisons.
        let (failing, slow) = (counts.failed > 0, counts.slow > 0);
        let why = if policy.consecutive.is_some_and(|most| self.in_a_row >= most.min(few)) {
            Cause::Consecutive
        } else if failing && counts.ended >= enough && reaches(counts.failure_ratio(), policy.ratio)
        {
            Cause::Ratio
        } else if slow && counts.timed >= enough && reaches(counts.slow_ratio(), policy.slow) {
            Cause::Slow
        } else {
            return;
        };
        self.open(at, why, wait);
    }

    /// A probe has shown nothing: another one may.
    pub(super) fn hand_back(&mut self, slot: Option<Slot>) {
        if let (Mode::HalfOpen(probes), Some(slot)) = (&mut self.mode, slot) {
            probes.free(slot);
        }
    }

    /// Counts a rejection of the credential, and tells whether it is one too many.
    pub(super) fn is_locked_out(&mut self, at: Moment<'_>) -> bool {
        self.unauthorized = self.unauthorized.saturating_add(1);
        at.policy.unauthorized.is_some_and(|most| self.unauthorized >= most)
    }

    pub(super) fn open(&mut self, at: Moment<'_>, why: Cause, wait: Option<Duration>) {
        let lasts = self.openings.next(at, why, wait);
        self.generation += 1;
        self.opened_by = Some(why);
        self.enter(Mode::Open { until: later(at.now, lasts) }, why, Some(lasts));
    }

    pub(super) fn recover(&mut self, at: Moment<'_>) {
        if at.policy.recover.is_zero() {
            self.close(Cause::ProbesPassed);
        } else {
            self.enter(Mode::Recovering(Ramp::new(at.now)), Cause::ProbesPassed, None);
        }
    }

    fn close(&mut self, why: Cause) {
        self.openings = Openings::default();
        self.opened_by = None;
        self.enter(Mode::Closed, why, None);
    }

    fn by_hand(&mut self, mode: Mode, why: Cause) {
        self.generation += 1;
        self.openings = Openings::default();
        self.unauthorized = 0;
        self.opened_by = None;
        self.enter(mode, why, None);
    }

    /// The one place where the state changes: nothing that was counted before is taken along.
    fn enter(&mut self, mode: Mode, why: Cause, lasts: Option<Duration>) {
        let from = self.state();
        self.mode = mode;
        self.window.clear();
        self.in_a_row = 0;
        let to = self.state();
        if from != to {
            self.steps += 1;
            self.untold.push(Step { number: self.steps, from, to, why, lasts });
        }
    }
}
