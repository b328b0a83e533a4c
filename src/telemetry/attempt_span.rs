//! The span of an attempt.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::Span;

use super::spans;
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, AttemptsMade, CallContext, Destination},
    error::judge,
    outcome::Outcome,
};

/// Opens a span for each attempt, until its body has ended: belongs below every layer that makes attempts. See
/// [the module](super).
#[derive(Clone, Debug)]
pub struct AttemptSpan<S> {
    inner: S,
}

/// Wraps a service into [`AttemptSpan`].
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptSpanLayer {}

pin_project! {
    /// An attempt within its span.
    #[derive(Debug)]
    pub struct AttemptSpanFuture<F> {
        #[pin]
        inner: Option<F>,
        span: Span,
        made: AttemptsMade,
        // Until it is put into the response.
        to: Option<Destination>,
    }

    impl<F> PinnedDrop for AttemptSpanFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.span.in_scope(|| this.inner.set(None));
            if this.to.is_some() {
                spans::end_attempt(this.span, Outcome::Cancelled, None);
            }
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
        let (route, provider) =
            (AttemptContext::route(&mut request), AttemptContext::provider_name(&mut request));
        let to = Destination { route, provider };
        let made = CallContext::of(&mut request).attempts_made.clone();
        let span = spans::attempt(&request, &to, made.begin(&to));
        let inner = span.in_scope(|| self.inner.call(request));
        AttemptSpanFuture { inner: Some(inner), span, made, to: Some(to) }
    }
}

// === impl AttemptSpanFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for AttemptSpanFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.span.enter();
        let inner = this.inner.as_pin_mut().expect("it is there until the drop");
        let mut result = ready!(inner.poll(cx));
        drop(entered);
        let (to, outcome) = (this.to.take(), judge(&result).outcome());
        if matches!(outcome, Outcome::NotSent { .. }) {
            this.made.was_not_sent();
        }
        // The span ends with the body. Without a body, or without a reader of spans, it ends here.
        let span = std::mem::replace(this.span, Span::none());
        match &mut result {
            Ok(response) => {
                if let Some(to) = to {
                    response.extensions_mut().insert(to);
                }
                end_with_body(span, response, outcome);
            }
            Err(_) => spans::end_attempt(&span, outcome, None),
        }
        Poll::Ready(result)
    }
}

/// Ends the span of an attempt with the body of its answer: the body of a success decides.
fn end_with_body(span: Span, response: &mut Response, outcome: Outcome) {
    if span.is_disabled() {
        return;
    }
    let status = response.status().as_u16();
    response.body_mut().on_end(move |ending| {
        let outcome = if outcome.is_success() { ending.outcome() } else { outcome };
        spans::end_attempt(&span, outcome, Some(status));
    });
}
