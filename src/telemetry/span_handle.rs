//! The span of a call, for work that continues after its answer was handed to the caller.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tracing::Span;

use crate::attempt_log::CallId;

/// The current span and call, to be entered again by work that runs elsewhere.
#[derive(Clone)]
pub(crate) struct SpanHandle {
    span: Span,
    call: Option<CallId>,
}

pin_project! {
    /// A future that is polled, and dropped, within a span.
    pub(crate) struct InSpan<F> {
        #[pin]
        inner: Option<F>,
        scope: SpanHandle,
    }

    impl<F> PinnedDrop for InSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.scope.enter();
            this.inner.set(None);
        }
    }
}

// === impl SpanHandle ===

impl SpanHandle {
    /// The span of a call, and the call.
    pub(super) fn new(span: Span, call: CallId) -> Self {
        Self { span, call: Some(call) }
    }

    /// Captures the current span.
    pub(crate) fn current() -> Self {
        Self { span: Span::current(), call: CallId::current() }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Enters the span and the call, until the guard is dropped. For synchronous work only.
    #[must_use]
    pub(super) fn enter(&self) -> impl Sized {
        (self.call.map(CallId::enter), self.span.enter())
    }

    /// Runs a future within the span.
    pub(crate) fn around<F: Future>(&self, work: F) -> InSpan<F> {
        InSpan { inner: Some(work), scope: self.clone() }
    }
}

impl fmt::Debug for SpanHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpanHandle")
    }
}

// === impl InSpan ===

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.scope.enter();
        this.inner.as_pin_mut().expect("it is there until the drop").poll(cx)
    }
}

impl<F> fmt::Debug for InSpan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InSpan").finish_non_exhaustive()
    }
}
