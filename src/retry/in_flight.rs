//! An attempt under way: records its end, emits the event and updates the budget, also when it is dropped.

use std::time::Duration;

use tokio::time::Instant;

use super::record::{CallRecord, Destination};
use crate::{
    Error, Response,
    context::Attempt,
    dialect::{Usage, UsageHandle},
    error::judge,
    outcome::{Outcome, Phase, Verdict},
    stream::FirstContentAt,
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

/// What is known of the answer of an attempt.
#[derive(Default)]
struct AnswerFacts {
    status: Option<u16>,
    first_content: Option<Duration>,
    wasted: Option<Usage>,
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
        let (route, name) = (at.route.clone(), call.name.clone());
        call.emit(EventKind::AttemptStarted { route, attempt, name, equal: at.equal });
        at.budget.started();
        Self { call, at, step, started: now, open: true }
    }

    pub(super) fn end(mut self, result: &Result<Response, Error>) {
        let verdict = judge(result);
        let streamed = result.as_ref().ok().filter(|it| is_stream(it));
        let first_content = streamed.filter(|_| verdict.outcome().is_success()).map(|answer| {
            // An answer without it was not held back beyond its first content.
            let first = answer
                .extensions()
                .get()
                .map_or_else(Instant::now, |first: &FirstContentAt| first.0);
            first.saturating_duration_since(self.started)
        });
        let wasted = result.as_ref().err().and_then(Error::usage);
        let status = result.as_ref().ok().map(|response| response.status().as_u16());
        self.close(verdict, AnswerFacts { status, first_content, wasted });
    }

    fn close(&mut self, verdict: Verdict, facts: AnswerFacts) {
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
        let AnswerFacts { status, first_content, wasted } = facts;
        let ended = Attempt { fallback, name, route, outcome, status, wait, took, injected: None };
        call.attempt_log.push(ended, copy);
        let (route, provider) = (at.route.clone(), at.provider.clone());
        call.emit(EventKind::AttemptEnded {
            route,
            attempt,
            provider,
            verdict,
            status,
            took,
            hedge: copy,
            first_content,
            wasted,
            budget_left: at.budget.share_left(),
        });
    }
}

/// Whether an answer in a known dialect is handed on as a stream.
fn is_stream(response: &Response) -> bool {
    let parsed = response.extensions().get::<UsageHandle>().is_some();
    parsed && response.body().as_bytes().is_none()
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
            self.close(outcome.into(), AnswerFacts::default());
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
