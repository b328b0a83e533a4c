//! What is learned of a target from the outcome of an attempt.

use std::time::Duration;

use super::{
    DecisionInput, InFlight, Load,
    ejection::{Ejection, locked_out},
};
use crate::{
    context::LONGEST_WAIT,
    outcome::{Outcome, Phase, Rejection},
};

/// The minimum number of picks between two trials of a failing target.
const PICKS_OF_A_REST: u64 = 64;
/// The longest wait of a provider that is honoured here; for an exhausted quota it is that of all routes. After it one call is
/// the trial.
const LONGEST_HINT: Duration = Duration::from_secs(120);
/// How long a target is skipped after our own breaker or limit has refused: a breaker that is half-open or recovering lets calls
/// through long before it closes.
const LONGEST_CLOSED: Duration = Duration::from_secs(30);
const SHORTEST_CLOSED: Duration = Duration::from_millis(250);

// === impl Load ===

impl Load {
    /// Records an outcome; `took`: how long the call waited for its first event in vain.
    pub(super) fn learn(
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
            // The fault of the request or its caller, not of the target; only a slow answer counts.
            Outcome::TooLarge | Outcome::Blocked | Outcome::Declined => None,
            Outcome::Rejected {
                why: Rejection::Request | Rejection::Parameter | Rejection::Permission,
            } => None,
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

    /// Records that our own breaker or limit refuses calls for `lasts`.
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
            // The call began before the ejection: the failure is already counted.
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
}
