//! The span of a call, for work that goes on after its answer was handed on.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tracing::Span;

use crate::attempt_log::CallId;

/// The span and the call that something was made in, to be entered again by what goes on elsewhere.
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
            let _call = this.scope.call.map(CallId::enter);
            this.scope.span.in_scope(|| this.inner.set(None));
        }
    }
}

// === impl SpanHandle ===

impl SpanHandle {
    /// The span that this is called in.
    pub(crate) fn current() -> Self {
        Self { span: Span::current(), call: CallId::current() }
    }

    /// Does the work within the span.
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
        let _call = this.scope.call.map(CallId::enter);
        let _entered = this.scope.span.enter();
        this.inner.as_pin_mut().expect("it is there until the drop").poll(cx)
    }
}

impl<F> fmt::Debug for InSpan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InSpan").finish_non_exhaustive()
    }
}
