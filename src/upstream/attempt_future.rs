//! The future of a layer that hands most attempts on.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{Response, ResponseFuture};
use crate::Error;

pin_project! {
    /// The future of an attempt in a layer that hands most attempts on: that of the service below, or one of the layer's own.
    pub struct AttemptFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProject]
    enum Kind<F> {
        Passed { #[pin] inner: F },
        Own { inner: ResponseFuture },
    }
}

// === impl AttemptFuture ===

impl<F> AttemptFuture<F> {
    /// The future of the service below, which is not boxed.
    pub(crate) fn passed(inner: F) -> Self {
        Self { kind: Kind::Passed { inner } }
    }

    /// A future of the layer's own.
    pub(crate) fn own(
        inner: impl Future<Output = Result<Response, Error>> + Send + 'static,
    ) -> Self {
        Self { kind: Kind::Own { inner: Box::pin(inner) } }
    }
}

impl<F: Future<Output = Result<Response, Error>>> Future for AttemptFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProject::Passed { inner } => inner.poll(cx),
            KindProject::Own { inner } => inner.as_mut().poll(cx),
        }
    }
}

impl<F> fmt::Debug for AttemptFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptFuture")
    }
}
