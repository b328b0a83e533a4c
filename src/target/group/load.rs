//! The state of one target: its latency, its calls in flight, and whether it is ejected. Pure: the time comes in as an argument.

use std::time::Duration;

use crate::outcome::Outcome;

mod ejection;
mod latency_estimate;
mod learn;

use ejection::Ejection;
pub(crate) use ejection::Eligibility;
pub(crate) use latency_estimate::DecisionInput;
use latency_estimate::LatencyEstimate;

/// The state of one target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    said: Option<LatencyEstimate>,
    in_flight: u32,
    /// The number of calls that wait for their first event, and the sum of their start times.
    waiting: u32,
    since: f64,
    /// The number of failures in a row.
    failures: u32,
    /// How often it was ejected for failures since its last success.
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

/// A lower bound for estimates: if all targets answer at once, the calls in flight decide.
const LEAST: f64 = 0.001;

// === impl Load ===

impl Load {
    /// The same without the calls under way, which another state counts.
    pub(crate) fn at_rest(&self) -> Self {
        Self { in_flight: 0, waiting: 0, since: 0.0, ..self.clone() }
    }

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

    /// Until when it is ejected.
    pub(crate) fn until(&self) -> f64 {
        self.out.map_or(0.0, |out| out.ends())
    }

    /// Until when our own breaker or limit refuses it.
    pub(crate) fn closed(&self) -> f64 {
        self.closed
    }

    /// The cost of another call there: the time to its first event, times the number of calls in flight.
    pub(crate) fn cost(&self, m: &DecisionInput<'_>) -> f64 {
        let waits = match self.waiting {
            0 => 0.0,
            // Calls that have waited for longer than usual count although they have no answer yet.
            waiting => m.at - self.since / f64::from(waiting),
        };
        self.estimate(m).max(waits).max(LEAST) * f64::from(self.in_flight.saturating_add(1))
    }

    /// The time to the first event. Without new answers it decays to the usual time.
    fn estimate(&self, m: &DecisionInput<'_>) -> f64 {
        match self.said {
            Some(said) => m.usual + (said.secs - m.usual) * said.weight(m),
            None => m.usual,
        }
    }

    /// A slower time replaces the estimate at once, a faster one lowers it gradually.
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

    /// Records that the trial call goes there: no other does, until that one must have its answer.
    pub(crate) fn try_again(&mut self, m: &DecisionInput<'_>) {
        if let Some(out) = &mut self.out {
            out.trial = m.at + m.policy.penalty.as_secs_f64();
        }
    }

    /// Records that a call begins.
    pub(crate) fn begin(&mut self, m: &DecisionInput<'_>) -> InFlight {
        self.in_flight = self.in_flight.saturating_add(1);
        self.waiting = self.waiting.saturating_add(1);
        self.since += m.at;
        InFlight { began: m.at, answered: false }
    }

    /// Records that the first event came after `took` seconds.
    pub(crate) fn answer(&mut self, in_flight: &mut InFlight, took: f64, m: &DecisionInput<'_>) {
        self.arrive(in_flight);
        if self.comes_back(in_flight) {
            self.say(took, m);
            // Back on probation: the next failure ejects it again, a complete answer resets the count.
            self.failures = m.policy.consecutive_failures - 1;
        } else {
            self.observe(took, m);
        }
    }

    /// Records the outcome of the call. Returns the duration if the target was ejected.
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

    /// The call no longer waits for its first event.
    fn arrive(&mut self, in_flight: &mut InFlight) {
        if !std::mem::replace(&mut in_flight.answered, true) {
            self.waiting = self.waiting.saturating_sub(1);
            // Reset where possible: the sum of many differences drifts.
            self.since = if self.waiting == 0 { 0.0 } else { self.since - in_flight.began };
        }
    }

    /// Whether the ejection ends: the call began after it, and was answered.
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
