//! A call that waits for its turn.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep_until};

use super::{
    priority_queue::QueuePosition,
    route_limiter::{Permit, RouteLimiter},
    state::{DecisionInput, QueuePoll, WaitResult},
};
use crate::time::saturating_add;

/// A call that waits for its turn.
///
/// Resolves to a permit, or to the time after which to retry. Leaves the queue when it is dropped.
pub(super) struct QueuedCall {
    limiter: Arc<RouteLimiter>,
    position: QueuePosition,
    is_done: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

// === impl QueuedCall ===

impl QueuedCall {
    pub(super) fn new(limiter: Arc<RouteLimiter>, position: QueuePosition) -> Self {
        Self { limiter, position, is_done: false, sleep: None }
    }
}

impl Future for QueuedCall {
    type Output = Result<Permit, Duration>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let input = DecisionInput::draw();
            let position = self.position;
            let polled =
                self.limiter.decide(|state| state.poll_queued(position, input, cx.waker()));
            let poll_at = match polled {
                QueuePoll::Ready(result) => {
                    self.is_done = true;
                    return Poll::Ready(match result {
                        WaitResult::Admitted(grant) => Ok(Permit::new(self.limiter.clone(), grant)),
                        WaitResult::Refused { retry_in } => Err(retry_in),
                    });
                }
                QueuePoll::Pending { poll_at } => {
                    poll_at.unwrap_or_else(|| saturating_add(input.now, Duration::MAX))
                }
            };
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(poll_at)));
            if sleep.deadline() != poll_at {
                sleep.as_mut().reset(poll_at);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // The time is reached, or passed during the poll. Each iteration gets a later time than the last.
        }
    }
}

impl Drop for QueuedCall {
    fn drop(&mut self) {
        if !self.is_done {
            self.limiter.decide(|state| state.give_up(self.position, DecisionInput::draw()));
        }
    }
}
