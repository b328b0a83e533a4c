//! A future with a limit on time.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

pin_project! {
    /// Resolves to the output of another future, or to [`Elapsed`]: the future is polled before the timer.
    #[derive(Debug)]
    pub(crate) struct Timed<F> {
        #[pin]
        inner: Option<F>,
        #[pin]
        sleep: Sleep,
    }
}

/// The limit has passed. The inner future is already dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elapsed;

// === impl Timed ===

impl<F> Timed<F> {
    /// With `None` instead of a future, the limit has already passed.
    pub(crate) fn new(inner: Option<F>, until: Instant) -> Self {
        Self { inner, sleep: sleep_until(until) }
    }

    /// Moves the limit.
    pub(crate) fn reset(self: Pin<&mut Self>, until: Instant) {
        self.project().sleep.reset(until);
    }
}

impl<F: Future> Timed<F> {
    /// Polls only the future.
    pub(crate) fn poll_inner(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<F::Output>> {
        match self.project().inner.as_pin_mut() {
            Some(inner) => inner.poll(cx).map(Some),
            None => Poll::Ready(None),
        }
    }

    /// Polls only the timer. When it fires the future is dropped, so that its connection is free at once.
    pub(crate) fn poll_elapsed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Elapsed> {
        let mut this = self.project();
        ready!(this.sleep.poll(cx));
        this.inner.set(None);
        Poll::Ready(Elapsed)
    }
}

impl<F: Future> Future for Timed<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.as_mut().poll_inner(cx) {
            Poll::Ready(Some(output)) => Poll::Ready(Ok(output)),
            Poll::Ready(None) => Poll::Ready(Err(Elapsed)),
            Poll::Pending => self.poll_elapsed(cx).map(Err),
        }
    }
}
