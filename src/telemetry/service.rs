//! The span of a call, and its attempt log.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{
    EventSink,
    open_call::{CallStart, OpenCall},
    operation::operation,
    redacted_url::port,
    span_handle::{InSpan, SpanHandle},
    spans,
};
use crate::{
    Error, Request, Response, Upstream,
    context::CallContext,
    dialect::RequestInfo,
    route::{ProviderName, shown},
    telemetry::EventKind,
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

pin_project! {
    /// A call within its span.
    #[derive(Debug)]
    pub struct TelemetryFuture<F> {
        // Dropped before the other field, so that the events of its end come before that of the call.
        #[pin]
        inner: InSpan<F>,
        open: OpenCall,
    }
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
        let start = start(&mut request, &info);
        let call = start.attempt_log.call_id();
        let span = spans::call(call, &request, &info, start.operation);
        let scope = SpanHandle::new(span, call);
        let entered = scope.enter();
        self.events.emit(EventKind::CallStarted);
        let inner = scope.around(self.inner.call(request));
        drop(entered);
        TelemetryFuture { inner, open: OpenCall::new(scope, start, self.events.clone()) }
    }
}

/// What is known of a call at its start.
fn start(request: &mut Request, info: &RequestInfo) -> CallStart {
    let uri = request.uri();
    let (operation, provider) =
        (operation(info, uri.path()), ProviderName::of(uri, None, info.dialect()));
    let (server_address, server_port) = (uri.host().map(Into::into), port(uri));
    let context = CallContext::of(request);
    CallStart {
        at: Instant::now(),
        operation,
        dialect: info.dialect(),
        provider,
        server_address,
        server_port,
        request_model: info.model().map(|model| shown(model).into()),
        stream: info.stream(),
        attempt_log: context.attempt_log.clone(),
        attempts_made: context.attempts_made.clone(),
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
