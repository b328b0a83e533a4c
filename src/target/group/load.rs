//! What is known of one target: how quick it was, how much it has to do, and whether it is out. Pure: the time comes in
//! as an argument.

use std::time::Duration;

use crate::{
    context::LONGEST_WAIT,
    outcome::{Outcome, Phase, Rejection},
};

mod ejection;
mod latency_estimate;

pub(crate) use ejection::Eligibility;
use ejection::{Ejection, locked_out};
pub(crate) use latency_estimate::DecisionInput;
use latency_estimate::LatencyEstimate;

/// What is known of one target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    said: Option<LatencyEstimate>,
    in_flight: u32,
    /// Those of them that still wait for their first event, and the sum of the moments at which they began.
    waiting: u32,
    since: f64,
    /// In a row.
    failures: u32,
    /// How often it was taken out for failures since it was well.
    ejected: u32,
    out: Option<Ejection>,
    /// Until when our own breaker or limit refuses it.
    closed: f64,
}

/// One attempt at a target: when it began, and whether its first event has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    pub(crate) began: f64,
    pub(crate) answered: bool,
}

/// Below it no target is quicker than another: where all answer in no time, the calls under way decide.
const LEAST: f64 = 0.001;
/// A target that fails is tried by one call of so many at most.
const PICKS_OF_A_REST: u64 = 64;
/// The longest wait of a provider that is heeded here; for an exhausted quota it is that of all routes. After it one call
/// finds out.
const LONGEST_HINT: Duration = Duration::from_secs(120);
/// How long a target that our own breaker or limit refused is left out: a breaker that is half-open or recovers lets
/// calls through long before it has closed.
const LONGEST_CLOSED: Duration = Duration::from_secs(30);
const SHORTEST_CLOSED: Duration = Duration::from_millis(250);

// === impl Load ===

impl Load {
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(crate) fn standing(&self, m: &DecisionInput<'_>) -> Eligibility {
        match self.out {
            None => Eligibility::Eligible,
            Some(out) if m.at >= out.ends() && m.picks >= out.picks => Eligibility::TrialDue,
            Some(_) => Eligibility::Ejected,
        }
    }

    /// Until when it is out.
    pub(crate) fn until(&self) -> f64 {
        self.out.map_or(0.0, |out| out.ends())
    }

    /// Until when our own breaker or limit refuses it.
    pub(crate) fn closed(&self) -> f64 {
        self.closed
    }

    /// What another call there would cost: the time to its first event, so many times as there are calls.
    pub(crate) fn cost(&self, m: &DecisionInput<'_>) -> f64 {
        let waits = match self.waiting {
            0 => 0.0,
            // Those that have waited for longer than it usually takes say what no answer has said yet.
            waiting => m.at - self.since / f64::from(waiting),
        };
        self.estimate(m).max(waits).max(LEAST) * f64::from(self.in_flight.saturating_add(1))
    }

    /// The time to the first event. Without news it becomes what is usual.
    fn estimate(&self, m: &DecisionInput<'_>) -> f64 {
        match self.said {
            Some(said) => m.usual + (said.secs - m.usual) * said.weight(m),
            None => m.usual,
        }
    }

    /// Slower than thought is believed at once, faster little by little.
    fn observe(&mut self, secs: f64, m: &DecisionInput<'_>) {
        let thought = self.estimate(m);
        let secs = match self.said {
            Some(said) if secs < thought => {
                (secs + (said.secs - secs) * said.weight(m)).clamp(secs, thought)
            }
            _ => secs,
        };
        self.say(secs, m);
    }

    fn say(&mut self, secs: f64, m: &DecisionInput<'_>) {
        self.said = Some(LatencyEstimate { secs, at: m.at, picks: m.picks });
    }

    /// A call goes there to find out whether it is well again: no other does, until that one must have its answer.
    pub(crate) fn try_again(&mut self, m: &DecisionInput<'_>) {
        if let Some(out) = &mut self.out {
            out.trial = m.at + m.policy.penalty.as_secs_f64();
        }
    }

    /// A call has begun.
    pub(crate) fn begin(&mut self, m: &DecisionInput<'_>) -> InFlight {
        self.in_flight = self.in_flight.saturating_add(1);
        self.waiting = self.waiting.saturating_add(1);
        self.since += m.at;
        InFlight { began: m.at, answered: false }
    }

    /// Its first event has come, after so many seconds, and the rest follows.
    pub(crate) fn answer(&mut self, in_flight: &mut InFlight, took: f64, m: &DecisionInput<'_>) {
        self.arrive(in_flight);
        if self.comes_back(in_flight) {
            self.say(took, m);
            // Back on trial: the next failure takes it out again, a whole answer makes it well.
            self.failures = m.policy.consecutive_failures - 1;
        } else {
            self.observe(took, m);
        }
    }

    /// What the call came to. Tells for how long the target is out, where that is news.
    pub(crate) fn end(
        &mut self,
        outcome: Outcome,
        in_flight: &mut InFlight,
        m: &DecisionInput<'_>,
    ) -> Option<Duration> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let took = m.at - in_flight.began;
        let answered = in_flight.answered;
        match outcome {
            Outcome::Success if !answered => self.answer(in_flight, took, m),
            _ => self.arrive(in_flight),
        }
        let took = (!answered).then_some(took);
        self.learn(outcome, in_flight, took, m)
    }

    /// What follows from what a call came to; `took`: how long it waited for its first event in vain.
    fn learn(
        &mut self,
        outcome: Outcome,
        in_flight: &InFlight,
        took: Option<f64>,
        m: &DecisionInput<'_>,
    ) -> Option<Duration> {
        match outcome {
            Outcome::Success => {
                (self.failures, self.ejected) = (0, 0);
                None
            }
            // The request's own fault, or its caller's: nothing is known of the target, but that it was slow.
            Outcome::TooLarge | Outcome::Blocked => None,
            Outcome::Rejected { why: Rejection::Request | Rejection::Permission } => None,
            Outcome::Cancelled | Outcome::TimedOut { phase: Phase::Deadline } => {
                if let Some(took) = took.filter(|took| *took > self.estimate(m)) {
                    self.observe(took, m);
                }
                None
            }
            Outcome::NotSent { retry_in } => {
                self.close(retry_in.unwrap_or_default(), m);
                None
            }
            Outcome::QuotaExhausted { wait } => Some(self.put_out(
                wait.unwrap_or(m.policy.permanent_failure_ejection).min(LONGEST_WAIT),
                0,
                m,
            )),
            Outcome::Rejected { why: Rejection::Credential | Rejection::Payment } => {
                let lasts = locked_out(self.ejected, m);
                self.ejected = self.ejected.saturating_add(1);
                Some(self.put_out(lasts, 0, m))
            }
            Outcome::Rejected { .. } => {
                Some(self.put_out(m.policy.permanent_failure_ejection, 0, m))
            }
            _ => self.fail(outcome, in_flight, took.unwrap_or_default(), m),
        }
    }

    /// Our own breaker or limit lets nothing through for so long.
    pub(crate) fn close(&mut self, lasts: Duration, m: &DecisionInput<'_>) {
        let lasts = lasts.clamp(SHORTEST_CLOSED, LONGEST_CLOSED).as_secs_f64();
        self.closed = m.at + lasts;
        let none = Ejection { since: m.at, until: 0.0, picks: 0, trial: 0.0 };
        let out = self.out.get_or_insert(none);
        (out.until, out.trial) = (out.until.max(self.closed), 0.0);
    }

    /// `took`: how long the call waited for its first event in vain.
    fn fail(
        &mut self,
        outcome: Outcome,
        in_flight: &InFlight,
        took: f64,
        m: &DecisionInput<'_>,
    ) -> Option<Duration> {
        self.observe(took.max(m.policy.penalty.as_secs_f64()), m);
        if self.out.is_some_and(|out| in_flight.began < out.since) {
            // It is known already.
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        let wait = outcome.wait().map(|wait| wait.min(LONGEST_HINT));
        if self.out.is_none() && self.failures < m.policy.consecutive_failures {
            return wait.map(|wait| self.put_out(wait, 0, m));
        }
        let (min, max) = (*m.policy.ejection.start(), *m.policy.ejection.end());
        let rest = min.saturating_mul(1 << self.ejected.min(16)).min(max);
        self.ejected = self.ejected.saturating_add(1);
        Some(self.put_out(rest.max(wait.unwrap_or_default()), PICKS_OF_A_REST, m))
    }

    fn put_out(&mut self, lasts: Duration, picks: u64, m: &DecisionInput<'_>) -> Duration {
        let until = m.at + lasts.as_secs_f64();
        let picks = m.picks.saturating_add(picks);
        self.out = Some(Ejection { since: m.at, until, picks, trial: 0.0 });
        lasts
    }

    /// The call waits for its first event no longer.
    fn arrive(&mut self, in_flight: &mut InFlight) {
        if !std::mem::replace(&mut in_flight.answered, true) {
            self.waiting = self.waiting.saturating_sub(1);
            // Begun anew where it can be: sums of many differences drift.
            self.since = if self.waiting == 0 { 0.0 } else { self.since - in_flight.began };
        }
    }

    /// Whether it is in again by an answer to a call that began when it was out.
    fn comes_back(&mut self, in_flight: &InFlight) -> bool {
        let back = self.out.is_some_and(|out| in_flight.began >= out.since);
        if back {
            self.out = None;
        }
        back
    }
}

#[cfg(test)]
mod tests;
