//! The span of a call, for work that goes on after its answer was handed on.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tracing::Span;

/// The span that something was made in, to be entered again by what goes on elsewhere.
#[derive(Clone)]
pub(crate) struct SpanHandle(Span);

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
            this.scope.0.in_scope(|| this.inner.set(None));
        }
    }
}

// === impl SpanHandle ===

impl SpanHandle {
    /// The span that this is called in.
    pub(crate) fn current() -> Self {
        Self(Span::current())
    }

    /// Does the work within the span.
    pub(crate) fn around<F: Future>(&self, work: F) -> InSpan<F> {
        InSpan { inner: Some(work), scope: self.clone() }
    }
}

impl fmt::Debug for SpanHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope")
    }
}

// === impl InSpan ===

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.scope.0.enter();
        this.inner.as_pin_mut().expect("it is there until the drop").poll(cx)
    }
}

impl<F> fmt::Debug for InSpan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}
