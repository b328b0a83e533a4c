//! How the machine counts the first event and the end of an attempt.

use std::time::Duration;

use crate::{
    breaker::{
        TransitionReason,
        admission_record::{AdmissionRecord, about},
        decision_input::DecisionInput,
        machine::{Machine, StateData},
        probes::{ProbeResult, ProbeSlot},
        transition::Cause,
        window::Counts,
    },
    outcome::{BreakerSignal, Outcome, Phase},
};

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptEnd {
    pub(crate) outcome: Outcome,
    /// Whether a retry may follow. The failure of the call is then counted when the call ends.
    pub(crate) deferred: bool,
}

/// An answer is slow at this multiple of the usual latency.
const TIMES_USUAL: u32 = 3;

// === impl Machine ===

impl Machine {
    /// Records the first event of an answer. Counts its latency and decides a probe, so that the recovery does not wait for the
    /// end of a long stream.
    pub(crate) fn begin(&mut self, at: DecisionInput<'_>, ticket: &mut AdmissionRecord) {
        if ticket.begun.is_some() || !self.is_current(at, ticket.generation) {
            return;
        }
        let slow = self.is_slow(at, ticket);
        (ticket.begun, ticket.slow) = (Some(at.now), slow);
        self.usual.add(ticket.caller.whole, ticket.took(at.now));
        match self.undecided(ticket) {
            Some(slot) => self.pass_or_open(at, slot, ticket, slow),
            None => {
                self.interrupt(ticket);
                let counts = self.window.add(Counts::latency(slow), at.now);
                self.evaluate_trip(at, counts, None);
            }
        }
    }

    /// Records the end of an attempt. Returns whether the failure of its call still has to be counted, with
    /// [`fail_call`](Self::fail_call).
    pub(crate) fn end(
        &mut self,
        at: DecisionInput<'_>,
        ticket: &mut AdmissionRecord,
        end: AttemptEnd,
    ) -> bool {
        if !self.is_current(at, ticket.generation) {
            return false;
        }
        let slow = self.is_slow(at, ticket);
        let health = health(at, ticket, end.outcome);
        let wait = end.outcome.wait();
        if health == BreakerSignal::Success && ticket.begun.is_none() {
            self.usual.add(ticket.caller.whole, ticket.took(at.now));
        }
        match (health, self.undecided(ticket)) {
            (BreakerSignal::Exhausted, _) => self.open(at, TransitionReason::Exhausted, wait),
            (BreakerSignal::Unauthorized, _) if self.credential_locked_out(at, ticket) => {
                self.open(at, TransitionReason::Unauthorized, None);
            }
            (BreakerSignal::Ignored | BreakerSignal::Unauthorized, Some(slot)) => {
                self.release_probe(slot)
            }
            (BreakerSignal::Ignored | BreakerSignal::Unauthorized, None) => self.void(at),
            (BreakerSignal::Failure | BreakerSignal::Pushback, Some(_)) => {
                self.open(at, TransitionReason::ProbeFailed, wait)
            }
            (BreakerSignal::Cancelled, Some(_)) if slow && explicit(at) => {
                self.open(at, TransitionReason::ProbeSlow, None);
            }
            (BreakerSignal::Cancelled, Some(slot)) => self.drop_probe(at, slot, ticket),
            (BreakerSignal::Success, Some(slot)) => self.pass_or_open(at, slot, ticket, slow),
            (health, None) => return self.count(at, ticket, health, slow, end),
        }
        false
    }

    /// Records the failure of a call of that generation, after all its attempts.
    pub(crate) fn fail_call(
        &mut self,
        at: DecisionInput<'_>,
        generation: Option<u64>,
        wait: Option<Duration>,
    ) {
        if self.is_current(at, generation) {
            let counts = self.window.add(Counts::default().and_ended(true), at.now);
            self.failing_since.get_or_insert(at.now);
            self.evaluate_trip(at, counts, wait);
        }
    }

    /// Records that an attempt of that generation failed but its call did not.
    pub(crate) fn forgive(&mut self, at: DecisionInput<'_>, generation: Option<u64>) {
        if self.is_current(at, generation) {
            self.void(at);
        }
    }

    /// Whether the attempt is slow by now: beyond the configured limit, or by default beyond four fifths of its own limit and
    /// three times the usual latency. The default only applies to attempts that have another target.
    fn is_slow(&self, at: DecisionInput<'_>, ticket: &AdmissionRecord) -> bool {
        let (policy, whole) = (at.policy, ticket.caller.whole);
        let took = ticket.took(at.now);
        match policy.slow_after {
            _ if policy.slow_ratio.is_none() => false,
            Some(limits) => took > limits.of(whole),
            None => {
                let usual = self.usual.of(whole);
                ticket.caller.elsewhere
                    && took > about(policy.limit(whole))
                    && usual.is_some_and(|usual| took > TIMES_USUAL * usual)
            }
        }
    }

    /// Records that a probe was answered.
    fn pass_or_open(
        &mut self,
        at: DecisionInput<'_>,
        slot: ProbeSlot,
        ticket: &AdmissionRecord,
        slow: bool,
    ) {
        if slow && explicit(at) {
            return self.open(at, TransitionReason::ProbeSlow, None);
        }
        self.rejected.succeed(ticket.started, at.policy.window, at.now);
        if let StateData::HalfOpen(probes) = &mut self.mode {
            match probes.pass(slot, at, ticket.took(at.now)) {
                ProbeResult::NotYet => {}
                ProbeResult::Enough => self.recover(at),
                ProbeResult::Seldom => {
                    self.close(Cause::new(TransitionReason::ProbesPassed, at.now))
                }
            }
        }
    }

    fn drop_probe(&mut self, at: DecisionInput<'_>, slot: ProbeSlot, ticket: &AdmissionRecord) {
        if let StateData::HalfOpen(probes) = &mut self.mode {
            if probes.drop_one(slot, at, ticket.took(at.now)) {
                self.open(at, TransitionReason::ProbeDropped, None);
            }
        }
    }
}

/// Whether the time after which an answer is slow was set explicitly.
fn explicit(at: DecisionInput<'_>) -> bool {
    at.policy.slow_after.is_some() && at.policy.slow_ratio.is_some()
}

/// The breaker signal of the outcome of an attempt.
fn health(at: DecisionInput<'_>, ticket: &AdmissionRecord, outcome: Outcome) -> BreakerSignal {
    let late = Outcome::TimedOut { phase: Phase::Deadline };
    match outcome.breaker_signal() {
        // The caller dropped an answer that had begun.
        BreakerSignal::Cancelled if ticket.begun.is_some() => BreakerSignal::Success,
        // The caller waited for nearly the whole limit.
        BreakerSignal::Cancelled if ticket.had_its_time(at) && !explicit(at) => {
            BreakerSignal::Failure
        }
        // The caller's deadline was too short for the attempt.
        BreakerSignal::Failure if outcome == late && !ticket.had_its_time(at) => {
            BreakerSignal::Cancelled
        }
        health => health,
    }
}
