//! The clocks of a body.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use crate::{classify::Phase, context::later};

/// Bounds the silence between two events with content, and the whole stream if asked.
#[derive(Debug)]
pub(crate) struct Clock {
    idle: Duration,
    whole: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
    last: Instant,
}

// === impl Clock ===

impl Clock {
    /// A clock that starts now. `whole` is the moment by which the whole stream has ended.
    pub(crate) fn new(idle: Duration, whole: Option<Instant>) -> Self {
        let now = Instant::now();
        let sleep = Box::pin(sleep_until(later(now, idle)));
        Self { idle, whole, sleep, last: now }
    }

    /// An event with content has come.
    pub(crate) fn content(&mut self) {
        self.last = Instant::now();
    }

    /// Ready with the limit that has passed. Polled only when no data is ready.
    pub(crate) fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        loop {
            let idle = later(self.last, self.idle);
            let (until, phase) = match self.whole {
                Some(whole) if whole < idle => (whole, Phase::Stream),
                _ => (idle, Phase::Idle),
            };
            if self.sleep.deadline() != until {
                self.sleep.as_mut().reset(until);
            }
            ready!(self.sleep.as_mut().poll(cx));
            return Poll::Ready(phase);
        }
    }
}
