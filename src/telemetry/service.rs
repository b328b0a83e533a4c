//! The spans of calls and attempts, and the attempt log.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};
use tracing::Span;

use super::{
    CallReport, EventKind, EventSink,
    span_handle::{InSpan, SpanHandle},
    tracing as spans,
};
use crate::{
    Error, Request, Response, Upstream,
    attempt_log::BodyEnd,
    context::{AttemptContext, AttemptLog, CallContext, Route},
    dialect::UsageHandle,
    error::judge,
    outcome::Outcome,
};

/// Opens the span of a call and starts its attempt log: the outermost layer. See [the module](super).
#[derive(Clone, Debug)]
pub struct Telemetry<S> {
    inner: S,
    events: EventSink,
}

/// Wraps a service into [`Telemetry`].
#[derive(Clone, Debug, Default)]
pub struct TelemetryLayer {
    events: EventSink,
}

/// Opens a span for each attempt: belongs below every layer that makes attempts. See [the module](super).
#[derive(Clone, Debug)]
pub struct AttemptSpan<S> {
    inner: S,
}

/// Wraps a service into [`AttemptSpan`].
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptSpanLayer {}

pin_project! {
    /// A call within its span.
    #[derive(Debug)]
    pub struct TelemetryFuture<F> {
        // Dropped before the other field, so that the events of its end come before that of the call.
        #[pin]
        inner: InSpan<F>,
        open: Open,
    }
}

/// A call until it ends. Dropped earlier, it records that the caller cancelled.
#[derive(Debug)]
struct Open {
    scope: SpanHandle,
    attempt_log: AttemptLog,
    started: Instant,
    events: EventSink,
    ended: bool,
}

pin_project! {
    /// An attempt within its span.
    #[derive(Debug)]
    pub struct AttemptSpanFuture<F> {
        #[pin]
        inner: Option<F>,
        span: Span,
        ended: bool,
    }

    impl<F> PinnedDrop for AttemptSpanFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.span.in_scope(|| this.inner.set(None));
            if !*this.ended {
                spans::given_up(this.span);
            }
        }
    }
}

/// The answer of a call: its usage, and the route that delivered it.
struct Answer {
    usage: Option<UsageHandle>,
    route: Option<Route>,
}

fn report(
    attempt_log: &AttemptLog,
    outcome: Outcome,
    took: Duration,
    answer: Option<Answer>,
) -> Arc<CallReport> {
    let usage = answer.as_ref().and_then(|answer| answer.usage.as_ref()?.get());
    Arc::new(CallReport {
        route: answer.and_then(|answer| answer.route),
        served_by: attempt_log.served_by(),
        degraded: attempt_log.degraded(),
        outcome,
        usage,
        took,
    })
}

// === impl TelemetryLayer ===

impl TelemetryLayer {
    /// Creates a layer that sends its events to `tracing` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the events of the layer to that sink. The last sink set is used; without one they go to `tracing` alone.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }
}

impl<S> Layer<S> for TelemetryLayer {
    type Service = Telemetry<S>;

    fn layer(&self, inner: S) -> Telemetry<S> {
        Telemetry { inner, events: self.events.clone() }
    }
}

// === impl Telemetry ===

impl<S: Upstream> Service<Request> for Telemetry<S> {
    type Response = Response;
    type Error = Error;
    type Future = TelemetryFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let info = CallContext::info(&mut request);
        let attempt_log = CallContext::of(&mut request).attempt_log.clone();
        let call = attempt_log.call_id();
        let scope = SpanHandle::new(spans::call(call, &request, &info), call);
        let (started, events) = (Instant::now(), self.events.clone());
        let entered = scope.enter();
        events.emit(EventKind::CallStarted);
        let inner = scope.around(self.inner.call(request));
        drop(entered);
        TelemetryFuture { inner, open: Open { scope, attempt_log, started, events, ended: false } }
    }
}

// === impl TelemetryFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for TelemetryFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        Poll::Ready(this.open.finish(result))
    }
}

// === impl Open ===

impl Open {
    /// Emits the end of the call, and puts the attempt log into the response or the error.
    fn finish(&mut self, result: Result<Response, Error>) -> Result<Response, Error> {
        let scope = self.scope.clone();
        let _entered = scope.enter();
        spans::result(scope.span(), &result);
        spans::attempt_log(scope.span(), &self.attempt_log);
        let outcome = judge(&result).outcome();
        self.end(outcome);
        if result.is_err() {
            self.close(outcome);
        }
        let mut response = result.map_err(|error| error.with_attempt_log(&self.attempt_log))?;
        // A retry below may have inserted it already.
        let there = response.extensions().get::<AttemptLog>();
        if !there.is_some_and(|there| there.is_same(&self.attempt_log)) {
            response.extensions_mut().insert(self.attempt_log.clone());
        }
        let (scope, started, events) = (scope.clone(), self.started, self.events.clone());
        let attempt_log = self.attempt_log.clone();
        let (usage, route) = (response.extensions().get().cloned(), attempt_log.delivered_by());
        let answer = Answer { usage, route };
        response.body_mut().set_call(attempt_log.call_id());
        response.body_mut().on_end(move |ending| {
            let _entered = scope.enter();
            attempt_log.ended(*ending);
            spans::ending(scope.span(), ending);
            let took = started.elapsed();
            events.emit(EventKind::BodyEnded { ending: *ending, took });
            let outcome = if outcome.is_success() { ending.outcome() } else { outcome };
            let report = report(&attempt_log, outcome, took, Some(answer));
            events.emit(EventKind::CallClosed { report });
        });
        Ok(response)
    }

    /// Emits the end of a call without a body.
    fn close(&self, outcome: Outcome) {
        let report = report(&self.attempt_log, outcome, self.started.elapsed(), None);
        self.events.emit(EventKind::CallClosed { report });
    }

    fn end(&mut self, outcome: Outcome) {
        self.ended = true;
        let (fallback, attempts) = (self.attempt_log.served_by(), self.attempt_log.sent());
        let took = self.started.elapsed();
        self.events.emit(EventKind::CallEnded { outcome, served_by: fallback, attempts, took });
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ended {
            let scope = self.scope.clone();
            let _entered = scope.enter();
            spans::attempt_log(scope.span(), &self.attempt_log);
            spans::ending(scope.span(), &BodyEnd::Cancelled);
            self.end(Outcome::Cancelled);
            self.close(Outcome::Cancelled);
        }
    }
}

// === impl AttemptSpanLayer ===

impl<S> Layer<S> for AttemptSpanLayer {
    type Service = AttemptSpan<S>;

    fn layer(&self, inner: S) -> AttemptSpan<S> {
        AttemptSpan { inner }
    }
}

// === impl AttemptSpan ===

impl<S: Upstream> Service<Request> for AttemptSpan<S> {
    type Response = Response;
    type Error = Error;
    type Future = AttemptSpanFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let route = AttemptContext::route(&mut request);
        let span = spans::attempt(&route, AttemptContext::of(&mut request).fallback_index);
        let inner = span.in_scope(|| self.inner.call(request));
        AttemptSpanFuture { inner: Some(inner), span, ended: false }
    }
}

// === impl AttemptSpanFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for AttemptSpanFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.enter();
        let inner = this.inner.as_pin_mut().expect("it is there until the drop");
        let result = ready!(inner.poll(cx));
        *this.ended = true;
        spans::result(this.span, &result);
        Poll::Ready(result)
    }
}
