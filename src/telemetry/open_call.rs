//! A call until it is over.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{AnswerSource, CallReport, EventKind, EventSink, SpanHandle, facts::PlainFacts, spans};
use crate::{
    Error, Response,
    attempt_log::BodyEnd,
    context::{AttemptLog, AttemptsMade, Destination},
    dialect::{AnswerInfo, Dialect, UsageHandle},
    error::judge,
    outcome::Outcome,
    route::ProviderName,
};

/// What is known of a call at its start.
#[derive(Debug)]
pub(super) struct CallStart {
    pub(super) at: Instant,
    pub(super) operation: Option<&'static str>,
    pub(super) dialect: Option<Dialect>,
    pub(super) provider: ProviderName,
    pub(super) server_address: Option<Arc<str>>,
    pub(super) server_port: Option<u16>,
    pub(super) request_model: Option<Arc<str>>,
    pub(super) stream: bool,
    pub(super) attempt_log: AttemptLog,
    pub(super) attempts_made: AttemptsMade,
}

/// A call until it has its answer. Dropped earlier, it records that the caller cancelled.
#[derive(Debug)]
pub(super) struct OpenCall {
    scope: SpanHandle,
    events: EventSink,
    /// Until the call has its answer.
    start: Option<CallStart>,
}

/// A call that has its answer, or its error, until it is over.
struct AnsweredCall {
    start: CallStart,
    outcome: Outcome,
    status: Option<u16>,
    source: AnswerSource,
    /// Where the attempt that answered went.
    to: Option<Destination>,
    /// The facts of the answer, which a stream has at its end.
    usage: Option<UsageHandle>,
    plain: Option<PlainFacts>,
    /// The time up to the commit point.
    took: Duration,
}

// === impl OpenCall ===

impl OpenCall {
    pub(super) fn new(scope: SpanHandle, start: CallStart, events: EventSink) -> Self {
        Self { scope, events, start: Some(start) }
    }

    /// Emits the end of the call, and puts the attempt log into the response or the error.
    pub(super) fn finish(&mut self, result: Result<Response, Error>) -> Result<Response, Error> {
        let Some(start) = self.start.take() else { return result };
        let scope = self.scope.clone();
        let _entered = scope.enter();
        let attempt_log = start.attempt_log.clone();
        let call = AnsweredCall::of(start, &result);
        self.events.emit(call.event());
        let mut response = match result {
            Ok(response) => response,
            Err(error) => {
                call.close(&scope, &self.events, None);
                return Err(error.with_attempt_log(&attempt_log));
            }
        };
        // A retry below may have inserted it already.
        let there = response.extensions().get::<AttemptLog>();
        if !there.is_some_and(|there| there.is_same(&attempt_log)) {
            response.extensions_mut().insert(attempt_log.clone());
        }
        response.body_mut().set_call(attempt_log.call_id());
        let (scope, events) = (scope.clone(), self.events.clone());
        response.body_mut().on_end(move |ending| {
            let _entered = scope.enter();
            attempt_log.ended(*ending);
            let took = call.start.at.elapsed();
            events.emit(EventKind::BodyEnded { ending: *ending, took });
            call.close(&scope, &events, Some(*ending));
        });
        Ok(response)
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if let Some(start) = self.start.take() {
            let _entered = self.scope.enter();
            let call = AnsweredCall::of(start, &Err(Error::new(Outcome::Cancelled)));
            self.events.emit(call.event());
            call.close(&self.scope, &self.events, Some(BodyEnd::Cancelled));
        }
    }
}

// === impl AnsweredCall ===

impl AnsweredCall {
    fn of(start: CallStart, result: &Result<Response, Error>) -> Self {
        let (took, outcome) = (start.at.elapsed(), judge(result).outcome());
        let Ok(response) = result else {
            let source = AnswerSource::default();
            return Self {
                start,
                outcome,
                status: None,
                source,
                to: None,
                usage: None,
                plain: None,
                took,
            };
        };
        let extensions = response.extensions();
        Self {
            start,
            outcome,
            status: Some(response.status().as_u16()),
            source: extensions.get().copied().unwrap_or_default(),
            to: extensions.get().cloned(),
            usage: extensions.get().cloned(),
            plain: extensions.get().cloned(),
            took,
        }
    }

    /// Where the attempt that answered went; else the first attempt.
    fn to(&self) -> Option<&Destination> {
        self.to.as_ref().or_else(|| self.start.attempts_made.first())
    }

    /// The event that the call has its answer, or its error.
    fn event(&self) -> EventKind {
        EventKind::CallEnded {
            outcome: self.outcome,
            served_by: self.start.attempt_log.served_by(),
            source: self.source,
            route: self.to().map(|to| to.route.clone()),
            attempts: self.start.attempt_log.sent(),
            took: self.took,
        }
    }

    /// Ends the span, and emits that the call is over.
    fn close(self, scope: &SpanHandle, events: &EventSink, ending: Option<BodyEnd>) {
        let report = self.report(ending);
        spans::end_call(scope.span(), &report);
        events.emit(EventKind::CallClosed { report: Arc::new(report) });
    }

    fn report(self, ending: Option<BodyEnd>) -> CallReport {
        let outcome = match ending {
            Some(ending) if self.outcome.is_success() => ending.outcome(),
            _ => self.outcome,
        };
        let answer = self.answer(outcome);
        let streamed = self.start.stream && self.outcome.is_success();
        let to = self.to().cloned();
        let start = self.start;
        CallReport {
            operation: start.operation,
            dialect: start.dialect,
            provider: to.as_ref().map_or(start.provider, |to| to.provider.clone()),
            server_address: start.server_address,
            server_port: start.server_port,
            request_model: start.request_model,
            stream: start.stream,
            route: to.map(|to| to.route),
            source: self.source,
            served_by: start.attempt_log.served_by(),
            degraded: start.attempt_log.degraded(),
            attempts: start.attempt_log.sent(),
            attempt_log: start.attempt_log,
            status: self.status,
            outcome,
            ending,
            answer,
            first_chunk: streamed.then_some(self.took),
            took: start.at.elapsed(),
        }
    }

    /// The facts of the answer, if this call paid for it.
    fn answer(&self, outcome: Outcome) -> AnswerInfo {
        let known = self.usage.as_ref().and_then(UsageHandle::answer);
        let mut answer =
            known.or(self.plain.as_ref().map(PlainFacts::get)).cloned().unwrap_or_default();
        if self.source == AnswerSource::Shared {
            answer.usage = None;
        }
        let cut = !matches!(outcome, Outcome::Success | Outcome::Blocked);
        if cut && self.outcome.is_success() {
            answer.finish_reasons.push("error".into());
        }
        answer
    }
}
