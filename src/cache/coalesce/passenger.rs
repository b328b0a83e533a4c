//! One of those who wait.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{
    flight::{Flight, State},
    tape::Reader,
};
use crate::{
    Body, Error, Response,
    context::AttemptLog,
    dialect::{RequestInfo, StreamMonitor},
    outcome::{ErrorCodeTable, Verdict},
    sync::lock_std as lock,
};

/// One of those who wait.
pub(in crate::cache) struct Waiter {
    flight: Arc<Flight>,
    seat: u64,
    pub(super) first: bool,
}

// === impl Waiter ===

impl Waiter {
    pub(super) fn new(flight: Arc<Flight>, first: bool) -> Self {
        let seat = {
            let mut state = lock(&flight.state);
            state.seats += 1;
            state.seats
        };
        Self { flight, seat, first }
    }

    /// The answer, from its head on.
    pub(in crate::cache) async fn arrive(
        self,
        ask: &RequestInfo,
        attempt_log: &AttemptLog,
    ) -> Result<Response, Error> {
        let (parts, body) = poll_fn(|cx| self.poll(cx, |state| state.copy(self.first))).await?;
        let success = parts.extensions.get().is_some_and(|it: &Verdict| it.outcome().is_success());
        if let Some(rung) = self.flight.attempt_log.rung().filter(|_| success) {
            attempt_log.answered_by(rung);
        }
        let body = body.unwrap_or_else(|| {
            let mut body = Body::wrap(Reader::new(self));
            body.guarded().attempt_log(attempt_log.clone());
            // A caller may stop at the API's last word, as always.
            let dialect = ask.dialect().filter(|_| success && ask.stream());
            // What an error means was judged by whoever read the stream first.
            let watched =
                dialect.map(|dialect| StreamMonitor::new(dialect, &ErrorCodeTable::default()));
            body.guarded().watch(watched);
            body
        });
        Ok(Response::from_parts(parts, body))
    }

    /// What `wanted` takes from the state, once it is there.
    pub(super) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut wanted: impl FnMut(&mut State) -> Option<T>,
    ) -> Poll<T> {
        let mut idle = false;
        loop {
            let mut state = lock(&self.flight.state);
            if let Some(found) = wanted(&mut state) {
                state.waiting.remove(&self.seat);
                return Poll::Ready(found);
            }
            let due = state.is_due();
            if !due || idle {
                state.waiting.insert(self.seat, cx.waker().clone());
                drop(state);
                if due {
                    // It asked to be polled again while it was: in its turn, and not at once.
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
            drop(state);
            idle = !self.flight.poll();
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut state = lock(&self.flight.state);
        state.waiting.remove(&self.seat);
        if state.is_due() {
            // It was for this one to poll it.
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_values().for_each(Waker::wake);
        }
    }
}
