//! An attempt under way: records its end, emits the event and updates the budget, also when it is dropped.

use std::time::Duration;

use tokio::time::Instant;

use super::record::{CallRecord, Destination};
use crate::{
    context::Attempt,
    outcome::{Outcome, Phase, Verdict},
    telemetry::EventKind,
};

/// An attempt under way. Dropping it before its end records it as cancelled by the caller.
pub(super) struct InFlightAttempt<'a> {
    call: &'a CallRecord,
    at: &'a Destination,
    step: AttemptNumber,
    started: Instant,
    open: bool,
}

/// The number of the attempt, counted from 1, the wait before it, and whether another attempt was sent before.
#[derive(Clone, Copy)]
pub(super) struct AttemptNumber {
    attempt: u32,
    wait: Duration,
    pub(super) extra: bool,
    /// Whether it belongs to a second copy of the call.
    copy: bool,
}

// === impl InFlightAttempt ===

impl<'a> InFlightAttempt<'a> {
    pub(super) fn start(
        call: &'a CallRecord,
        at: &'a Destination,
        step: AttemptNumber,
        now: Instant,
    ) -> Self {
        let AttemptNumber { attempt, .. } = step;
        call.emit(EventKind::AttemptStarted { route: at.route.clone(), attempt });
        at.budget.started();
        Self { call, at, step, started: now, open: true }
    }

    pub(super) fn end(mut self, verdict: Verdict, status: Option<u16>) {
        self.close(verdict, status);
    }

    fn close(&mut self, verdict: Verdict, status: Option<u16>) {
        self.open = false;
        let Self { call, at, step: AttemptNumber { attempt, wait, extra, copy }, started, .. } =
            *self;
        let (outcome, now) = (verdict.outcome(), Instant::now());
        let took = now.saturating_duration_since(started);
        at.budget.ended();
        // A first attempt adds to the budget if it was sent; one that the client's own breaker refused was not.
        if !extra && !matches!(outcome, Outcome::NotSent { .. }) {
            at.budget.deposit();
        }
        if outcome.is_success() && !copy {
            at.budget.answered_at(now);
        }
        let route = at.route.clone();
        let (fallback, name) = (call.fallback, call.name.clone());
        call.attempt_log.push(Attempt { fallback, name, route, outcome, wait, took });
        let (route, provider) = (at.route.clone(), at.provider.clone());
        call.emit(EventKind::AttemptEnded { route, attempt, provider, verdict, status, took });
    }
}

impl Drop for InFlightAttempt<'_> {
    fn drop(&mut self) {
        if self.open {
            // Dropped by a timeout or by the caller.
            let late = self.call.left(Instant::now()).is_some_and(|left| left.is_zero());
            let outcome = match late {
                true => Outcome::TimedOut { phase: Phase::Deadline },
                false => Outcome::Cancelled,
            };
            self.close(outcome.into(), None);
        }
    }
}

// === impl AttemptNumber ===

impl AttemptNumber {
    /// The first attempt. In a second copy of a call it is still an extra attempt and adds nothing to the budget.
    pub(super) const fn first(copy: bool) -> Self {
        Self { attempt: 1, wait: Duration::ZERO, extra: copy, copy }
    }

    /// The next attempt, after `wait`. `sent`: this one was sent.
    pub(super) fn next(self, wait: Duration, sent: bool) -> Self {
        Self { attempt: self.attempt.saturating_add(1), wait, extra: self.extra || sent, ..self }
    }
}
