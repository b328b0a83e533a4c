//! One of the waiting callers.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::flight::{Flight, State};
use crate::sync::lock_std as lock;

/// One of the waiting callers.
pub(in crate::cache) struct Waiter {
    pub(super) flight: Arc<Flight>,
    index: u64,
    pub(super) first: bool,
}

// === impl Waiter ===

impl Waiter {
    pub(super) fn new(flight: Arc<Flight>, first: bool) -> Self {
        let index = {
            let mut state = lock(&flight.state);
            state.joined += 1;
            state.joined
        };
        Self { flight, index, first }
    }

    /// Returns what `wanted` takes from the state, once it is there.
    pub(super) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut wanted: impl FnMut(&mut State) -> Poll<T>,
    ) -> Poll<T> {
        let mut idle = false;
        loop {
            let mut state = lock(&self.flight.state);
            if let Poll::Ready(found) = wanted(&mut state) {
                state.waiting.remove(&self.index);
                return Poll::Ready(found);
            }
            let due = state.is_due();
            if !due || idle {
                state.waiting.insert(self.index, cx.waker().clone());
                drop(state);
                if due {
                    // The attempt woke itself while it was polled: poll it in the next turn, not in a loop.
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
        state.waiting.remove(&self.index);
        if state.is_due() {
            // This caller was the one to poll it: wake the others.
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_values().for_each(Waker::wake);
        }
    }
}
