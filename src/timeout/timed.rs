//! A future with a limit on time.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

pin_project! {
    /// What another future comes to, or [`Elapsed`]: data first, then the timer.
    #[derive(Debug)]
    pub(crate) struct Timed<F> {
        #[pin]
        inner: Option<F>,
        #[pin]
        sleep: Sleep,
    }
}

/// The limit has passed. What was under way is dropped already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elapsed;

// === impl Timed ===

impl<F> Timed<F> {
    /// `None` in place of a future has elapsed already.
    pub(crate) fn new(inner: Option<F>, until: Instant) -> Self {
        Self { inner, sleep: sleep_until(until) }
    }

    /// Moves the limit.
    pub(crate) fn reset(self: Pin<&mut Self>, until: Instant) {
        self.project().sleep.reset(until);
    }
}

impl<F: Future> Timed<F> {
    /// Asks the future alone.
    pub(crate) fn poll_inner(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<F::Output>> {
        match self.project().inner.as_pin_mut() {
            Some(inner) => inner.poll(cx).map(Some),
            None => Poll::Ready(None),
        }
    }

    /// Asks the timer alone. On its end the future is dropped, so that its connection is free at once.
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
