//! What an attempt that has ended adds to the window and to the failures in a row.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{
        TransitionReason,
        admission_record::AdmissionRecord,
        decision_input::DecisionInput,
        failure_run::FailureRun,
        judge::AttemptEnd,
        machine::{Machine, StateData},
        window::Counts,
    },
    outcome::{BreakerSignal, Outcome},
};

/// Answers lost with the same connection are lost within this time.
const TOGETHER: Duration = Duration::from_millis(250);

// === impl Machine ===

impl Machine {
    /// Counts an attempt that is not a probe, or a probe that was decided at its first event.
    pub(super) fn count(
        &mut self,
        at: DecisionInput<'_>,
        ticket: &AdmissionRecord,
        health: BreakerSignal,
        slow: bool,
        end: AttemptEnd,
    ) -> bool {
        let failed = matches!(health, BreakerSignal::Failure | BreakerSignal::Pushback);
        if matches!(self.mode, StateData::HalfOpen(_)) {
            if failed {
                self.open(at, TransitionReason::ProbeFailed, end.outcome.wait());
            }
            return false;
        }
        let latency = ticket.latency(at, slow);
        match health {
            BreakerSignal::Success => self.succeed(at, ticket),
            BreakerSignal::Failure if self.is_lost_together(at, ticket, end.outcome) => {
                self.void(at);
                return false;
            }
            BreakerSignal::Failure if self.fail(at, ticket) => {
                self.open_or_lower(at, TransitionReason::Consecutive, end.outcome.wait());
                return false;
            }
            // The only evidence of a call whose caller left is that it was slow.
            BreakerSignal::Cancelled if latency.slow == 0 => {
                self.void(at);
                return false;
            }
            _ => {}
        }
        self.tally(at, latency, health, failed, end)
    }

    /// Adds the end of an attempt to the window, and opens if that is too much.
    fn tally(
        &mut self,
        at: DecisionInput<'_>,
        latency: Counts,
        health: BreakerSignal,
        failed: bool,
        end: AttemptEnd,
    ) -> bool {
        let deferred = failed && end.deferred;
        let over = !deferred && health != BreakerSignal::Cancelled;
        let mut counts = if over { latency.and_ended(failed) } else { latency };
        counts.lost = failed.into();
        if failed {
            self.failing_since.get_or_insert(at.now);
        }
        let counts = self.window.add(counts, at.now);
        let before = self.generation;
        self.evaluate_trip(at, counts, end.outcome.wait());
        deferred && before == self.generation
    }

    /// Counts a success. It ends a run of failures, unless the attempt started before the run: a provider may still finish
    /// answers that it began before it went down.
    fn succeed(&mut self, at: DecisionInput<'_>, ticket: &AdmissionRecord) {
        let window = at.policy.window;
        self.rejected.succeed(ticket.started, window, at.now);
        self.failing.succeed(ticket.started, window, at.now);
        if let Some(run) = self.interrupted.take() {
            self.failing.past.take(run.failed, window, at.now);
        }
    }

    /// Counts a failing attempt, and returns whether the run opens the breaker.
    fn fail(&mut self, at: DecisionInput<'_>, ticket: &AdmissionRecord) -> bool {
        let mut run = self.failing.fail(ticket.failing(at.now), at.policy);
        // The answer that ended the earlier run broke off.
        let interrupted = |earlier: &mut FailureRun| ticket.interrupted == Some(earlier.since);
        if let Some(earlier) = self.interrupted.take_if(interrupted) {
            run = run.resume(earlier);
        }
        self.failing.run = Some(run);
        match self.mode {
            StateData::Recovering(_) => run.ends_recovery(at.policy),
            _ => run.opens(at.policy, &self.failing.past, at.now),
        }
    }

    /// Records that an answer has begun: the run of failures has ended, unless the answer breaks off.
    pub(super) fn interrupt(&mut self, ticket: &mut AdmissionRecord) {
        if let Some(run) = self.failing.run.take_if(|run| run.since <= ticket.started) {
            ticket.interrupted = Some(run.since);
            self.interrupted = Some(run);
        }
    }

    /// Whether the answer was lost with the same connection as another one that is counted.
    fn is_lost_together(
        &mut self,
        at: DecisionInput<'_>,
        ticket: &AdmissionRecord,
        outcome: Outcome,
    ) -> bool {
        if !matches!(outcome, Outcome::ConnectionLost | Outcome::Truncated) {
            return false;
        }
        let together = self.lost.is_some_and(|lost: Instant| {
            ticket.started < lost && at.now.saturating_duration_since(lost) < TOGETHER
        });
        if !together {
            self.lost = Some(at.now);
        }
        together
    }

    pub(super) fn void(&mut self, at: DecisionInput<'_>) {
        self.window.add(Counts::void(), at.now);
    }
}
