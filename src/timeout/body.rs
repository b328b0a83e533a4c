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
///
/// Silence is the provider's: only the time during which the reader waits for it counts. A reader that comes late finds
/// what has arrived; if nothing is ready, its wait begins when it comes, as many transports read on only when they are
/// asked for more. Comments and pings end no silence: the waits before and after one are added up.
///
/// The whole stream, in contrast, is bounded by the clock on the wall.
#[derive(Debug)]
pub(crate) struct Clock {
    idle: Duration,
    whole: Option<Instant>,
    /// Made while a runtime is there for sure: a body may be read where none is.
    sleep: Pin<Box<Sleep>>,
    /// How long the reader has waited since the last content, but for the wait it is in.
    waited: Duration,
    /// Since when the reader waits.
    since: Option<Instant>,
}

// === impl Clock ===

impl Clock {
    /// A clock that starts now. `whole` is the moment by which the whole stream has ended.
    pub(crate) fn new(idle: Duration, whole: Option<Instant>) -> Self {
        let first = later(Instant::now(), idle);
        let sleep = Box::pin(sleep_until(whole.map_or(first, |whole| whole.min(first))));
        Self { idle, whole, sleep, waited: Duration::ZERO, since: None }
    }

    /// A frame has come, with content or without. Tells the limit that has passed all the same: the whole stream's, for
    /// a reader that always finds data ready never sees the timer.
    pub(crate) fn frame(&mut self, content: bool) -> Option<Phase> {
        let since = self.since.take();
        if content {
            self.waited = Duration::ZERO;
        } else if let Some(since) = since {
            self.waited = self.waited.saturating_add(since.elapsed());
        }
        let over = self.whole.is_some_and(|whole| whole <= Instant::now());
        over.then_some(Phase::Stream)
    }

    /// Ready with the limit that has passed. Polled only when no data is ready.
    pub(crate) fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let idle = later(since, self.idle.saturating_sub(self.waited));
        let (until, phase) = match self.whole {
            Some(whole) if whole < idle => (whole, Phase::Stream),
            _ => (idle, Phase::Idle),
        };
        // A timer that is early is left alone: it goes off once per idle time instead of being set anew by every event.
        if self.sleep.deadline() > until {
            self.sleep.as_mut().reset(until);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= until {
                return Poll::Ready(phase);
            }
            self.sleep.as_mut().reset(until);
        }
    }
}
