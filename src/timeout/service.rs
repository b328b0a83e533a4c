//! The timeout layer: the limits of one attempt and of its body.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{
    TimeoutPolicy,
    limits::{AttemptLimits, Shared},
    timed::Timed,
};
use crate::{
    ConfigError, Error, Request, Response, Upstream, cold_start::ColdStarts,
    context::AttemptContext, telemetry::EventSink,
};

/// A service that limits the time of one attempt and the gaps in its body.
#[derive(Clone, Debug)]
pub struct Timeout<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// A layer that creates [`Timeout`] services.
#[derive(Clone, Debug)]
pub struct TimeoutLayer {
    shared: Arc<Shared>,
}

pin_project! {
    /// The future of one attempt with its limits.
    pub struct TimeoutFuture<F> {
        #[pin]
        within: Timed<F>,
        limits: AttemptLimits,
    }
}

// === impl TimeoutPolicy ===

impl TimeoutPolicy {
    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// If a value is not allowed. The error names the field, the value and the allowed values.
    pub fn build(self) -> Result<TimeoutLayer, ConfigError> {
        self.check(None)?;
        Ok(TimeoutLayer::new(self))
    }
}

// === impl TimeoutLayer ===

impl TimeoutLayer {
    pub(crate) fn new(policy: TimeoutPolicy) -> Self {
        Self {
            shared: Arc::new(Shared {
                policy,
                events: EventSink::default(),
                cold_starts: ColdStarts::new(),
            }),
        }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        Arc::make_mut(&mut self.shared).events = events;
        self
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout { inner, shared: self.shared.clone() }
    }
}

// === impl Timeout ===

impl<S: Upstream> Service<Request> for Timeout<S> {
    type Response = Response;
    type Error = Error;
    type Future = TimeoutFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let limits = AttemptLimits::of(self.shared.clone(), &mut request);
        let until = limits.until;
        AttemptContext::of(&mut request).ends = Some(until);
        // An attempt that cannot finish is not started: it may have waited for its turn until there was no time left.
        let inner = limits.has_time().then(|| self.inner.call(request));
        TimeoutFuture { within: Timed::new(inner, until), limits }
    }
}

// === impl TimeoutFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for TimeoutFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        // Data first, then the timer: data that has arrived in time is never discarded because of a timer.
        let inner = this.within.as_mut().poll_inner(cx);
        if let Poll::Ready(Some(result)) = &inner {
            this.limits.record_load(result);
        }
        match inner {
            Poll::Ready(Some(Ok(response))) => {
                this.limits.report_connection();
                return Poll::Ready(Ok(this.limits.guard(response)));
            }
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(this.limits.failed(error))),
            Poll::Ready(None) => return Poll::Ready(Err(this.limits.elapsed())),
            Poll::Pending => (),
        }
        if this.limits.revive() {
            this.within.as_mut().reset(this.limits.until);
        }
        ready!(this.within.poll_elapsed(cx));
        Poll::Ready(Err(this.limits.elapsed()))
    }
}

impl<F> fmt::Debug for TimeoutFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutFuture").field("phase", &self.limits.phase).finish_non_exhaustive()
    }
}
