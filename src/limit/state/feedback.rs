//! The feedback of attempts, and its effect on the route.

use std::time::Duration;

use tokio::time::Instant;

use super::{DecisionInput, Grant, RouteLimiterState, WaitResult};
use crate::{
    dialect::Usage,
    limit::{
        adaptive::AnswerForm,
        cooldown::Cooldown,
        cost::{Cost, PerDimension},
        mean_usage::MeanUsage,
        policy::LimitPolicy,
        quotas::Quotas,
        rate_limit_info::ReportedLimit,
        request_size::RequestSize,
    },
    outcome::{Outcome, Phase, Rejection},
};

/// The outcome of an attempt, at the first event of its answer or without an answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::limit) struct Feedback {
    pub(in crate::limit) outcome: Outcome,
    pub(in crate::limit) first_event_at: Instant,
    pub(in crate::limit) form: AnswerForm,
}

// === impl RouteLimiterState ===

impl RouteLimiterState {
    /// Gives back the cost of an attempt that was admitted but not sent. The attempt is under way until
    /// [`on_body_end`](Self::on_body_end).
    pub(in crate::limit) fn on_not_sent(&mut self, grant: &Grant) {
        self.settle(grant, Cost::default());
    }

    /// Applies the limits in the headers of an answer.
    pub(in crate::limit) fn on_headers(
        &mut self,
        grant: &Grant,
        limits: &[ReportedLimit],
        now: Instant,
    ) {
        if self.is_current(grant) {
            self.quotas.on_report(limits, &grant.snapshots, now);
        }
    }

    /// Records the outcome of an attempt. Returns for how long the route is closed, if that is new.
    pub(in crate::limit) fn on_outcome(
        &mut self,
        grant: &Grant,
        feedback: Feedback,
        input: DecisionInput,
    ) -> Option<Duration> {
        let outcome = feedback.outcome;
        self.settle(grant, grant.reserved.spent_by(outcome));
        if is_let_in(outcome) {
            self.on_let_in(grant, feedback, input);
        } else {
            self.cooldown.on_failed(grant.number());
        }
        match outcome {
            Outcome::RateLimited { wait } => {
                self.concurrency.on_overload(grant.sent);
                self.on_rate_limited(grant, wait, input)
            }
            // A short deadline of the caller is no evidence about the provider.
            Outcome::TimedOut { phase: Phase::Deadline } => None,
            Outcome::Unavailable { .. } | Outcome::TimedOut { .. } => {
                self.concurrency.on_overload(grant.sent);
                None
            }
            _ => None,
        }
    }

    /// Settles the cost of a success, by the usage in its answer, or by an average answer if none is reported.
    pub(in crate::limit) fn on_usage(
        &mut self,
        grant: &Grant,
        size: RequestSize,
        usage: Option<Usage>,
    ) {
        let cost = match usage {
            Some(tokens) => {
                self.mean_usage.add(size, tokens);
                Cost::from_usage(tokens)
            }
            None => self.mean_usage.cost_without_usage(grant.reserved),
        };
        self.settle(grant, cost);
    }

    /// Records that the body of an answer has ended, or that there was none.
    pub(in crate::limit) fn on_body_end(&mut self, grant: &Grant, input: DecisionInput) {
        self.concurrency.on_end();
        self.cooldown.on_end(grant.number(), input.now);
        let took = input.now.saturating_duration_since(grant.sent.sent_at);
        self.mean_duration = Some(self.mean_duration.map_or(took, |mean| (mean * 9 + took) / 10));
        self.admit_queued(input);
    }

    /// Clears the provider's reports and waits and the counts, and ignores later reports of the attempts sent so far. Waiting
    /// calls and attempts under way stay.
    pub(in crate::limit) fn reset(&mut self, policy: &LimitPolicy, input: DecisionInput) {
        self.reset_at = self.last_number;
        self.quotas = Quotas::new(policy, input.now);
        self.concurrency.reset(&policy.concurrency);
        self.cooldown = Cooldown::new(policy.cooldown_without_hint);
        self.mean_usage = MeanUsage::default();
        self.admit_queued(input);
    }

    /// Closes the route, and refuses the calls that cannot wait that long. Returns for how long, if that is new.
    pub(super) fn close(&mut self, wait: Duration, now: Instant) -> Option<Duration> {
        let until = self.cooldown.close(wait, now)?;
        let closed_for = until.saturating_duration_since(now);
        for (position, entry) in self.queue.remove_late_by(until) {
            self.results.insert(position.number, WaitResult::Refused { retry_in: closed_for });
            self.to_wake.extend(entry.waker);
        }
        Some(closed_for)
    }

    fn settle(&mut self, grant: &Grant, used: Cost) {
        self.quotas.settle(grant.number(), grant.reserved, used);
    }

    /// Whether the attempt was sent after the last reset.
    fn is_current(&self, grant: &Grant) -> bool {
        grant.number() > self.reset_at
    }

    fn on_let_in(&mut self, grant: &Grant, feedback: Feedback, input: DecisionInput) {
        let Feedback { outcome, first_event_at, form } = feedback;
        if matches!(outcome, Outcome::Success | Outcome::Blocked) {
            self.concurrency.on_first_event(grant.sent, first_event_at, form);
        }
        if self.cooldown.on_let_in(grant.number(), grant.sent.sent_at) {
            self.quotas.on_disproved(input.now);
        }
        // There may be room for more calls now.
        self.admit_queued(input);
    }

    fn on_rate_limited(
        &mut self,
        grant: &Grant,
        wait: Option<Duration>,
        input: DecisionInput,
    ) -> Option<Duration> {
        if !self.is_current(grant) {
            return None;
        }
        self.quotas.trust();
        let (sent_at, now) = (grant.sent.sent_at, input.now);
        let wait = wait.or_else(|| self.wait_without_hint(sent_at, now))?;
        if !self.cooldown.concerns_route(sent_at, wait) {
            return None;
        }
        let closed_for = self.close(wait, now)?;
        self.admit_queued(input);
        Some(closed_for)
    }

    /// The wait after a rate limit that names none. None is needed if a limit of this process holds calls back.
    fn wait_without_hint(&mut self, sent_at: Instant, now: Instant) -> Option<Duration> {
        let quota = self.quotas.wait(PerDimension::ZERO, Cost::REQUEST, now);
        if self.concurrency.is_adaptive() || !quota.is_zero() {
            return None;
        }
        self.cooldown.wait_without_hint(sent_at)
    }
}

/// Whether the provider has let an attempt in: it has answered it, or rejected its content.
fn is_let_in(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Success
            | Outcome::Blocked
            | Outcome::TooLarge
            | Outcome::Rejected { why: Rejection::Request | Rejection::Parameter }
            | Outcome::Declined
    )
}
