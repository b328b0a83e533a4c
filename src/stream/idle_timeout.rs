//! The clocks of a body.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    task::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use super::ThroughputMeter;
use crate::{outcome::Phase, time::saturating_add};

/// Bounds the silence between two events with content, and the whole stream if asked.
///
/// Silence is the provider's: only the time during which the reader waits for it counts. A reader that comes late finds
/// what has arrived; if nothing is ready, its wait begins when it comes, as many transports read on only when they are
/// asked for more. Comments and pings end no silence, unless a tool of the provider is at work: the waits before and after
/// one are added up.
///
/// The whole stream, in contrast, is bounded by the clock on the wall.
#[derive(Debug)]
pub(crate) struct IdleTimeout {
    idle: Duration,
    whole: Option<Instant>,
    /// Made while a runtime is there for sure: a body may be read where none is.
    sleep: Pin<Box<Sleep>>,
    /// Whom the timer wakes.
    wakes: Option<Waker>,
    /// How long the reader has waited since the last content, but for the wait it is in.
    waited: Duration,
    /// Since when the reader waits.
    since: Option<Instant>,
    /// How many frames without content have come in a row, and when the first of them.
    empty: u32,
    empty_since: Instant,
    /// Counts what comes in what time, where a pace is set.
    pace: Option<ThroughputMeter>,
}

// === impl IdleTimeout ===

impl IdleTimeout {
    /// So many frames in a row without content are a flood: it is never waited for, so the clock on the wall counts.
    const FLOOD: u32 = 256;

    /// A clock that starts now. `whole` is the moment by which the whole stream has ended.
    pub(crate) fn new(idle: Duration, whole: Option<Instant>) -> Self {
        let now = Instant::now();
        let first = saturating_add(now, idle);
        let sleep = Box::pin(sleep_until(whole.map_or(first, |whole| whole.min(first))));
        Self {
            idle,
            whole,
            sleep,
            wakes: None,
            waited: Duration::ZERO,
            since: None,
            empty: 0,
            empty_since: now,
            pace: None,
        }
    }

    /// Counts what comes from here on, and in what time.
    pub(crate) fn pace(mut self, pace: Option<ThroughputMeter>) -> Self {
        self.pace = pace;
        self
    }

    /// A frame has come, with so many events with content; `works`: a tool of the provider is at work. Tells the limit that has passed all the same: for a reader that always
    /// finds data ready never sees the timer.
    pub(crate) fn frame(&mut self, content: u32, works: bool) -> Option<Phase> {
        let since = self.since.take();
        if let Some(pace) = &self.pace {
            pace.add(content, since.map_or(Duration::ZERO, |since| since.elapsed()));
        }
        if content > 0 || works {
            (self.waited, self.empty) = (Duration::ZERO, 0);
        } else {
            return self.no_content(since);
        }
        let whole = self.whole?;
        (whole <= Instant::now()).then_some(Phase::Stream)
    }

    fn no_content(&mut self, since: Option<Instant>) -> Option<Phase> {
        let now = Instant::now();
        if self.empty == 0 {
            self.empty_since = now;
        }
        self.empty = self.empty.saturating_add(1);
        let waited = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.waited = self.waited.saturating_add(waited);
        let flood = self.empty >= Self::FLOOD
            && now.saturating_duration_since(self.empty_since) >= self.idle;
        match self.whole {
            Some(whole) if whole <= now => Some(Phase::Stream),
            _ => flood.then_some(Phase::Idle),
        }
    }

    /// Ready with the limit that has passed. Polled only when no data is ready.
    pub(crate) fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let idle = saturating_add(since, self.idle.saturating_sub(self.waited));
        let (until, phase) = match self.whole {
            Some(whole) if whole < idle => (whole, Phase::Stream),
            _ => (idle, Phase::Idle),
        };
        // A timer that is early is left alone: it goes off once per idle time instead of being set anew by every event.
        if self.sleep.deadline() > until {
            self.reset(until);
        } else if self.is_set_for(cx) {
            return Poll::Pending;
        }
        // A timer that could not be set, as the task's turn is over, would be taken for one that is.
        while self.poll_sleep(cx).is_ready() {
            if self.sleep.deadline() >= until {
                return Poll::Ready(phase);
            }
            self.reset(until);
        }
        self.wakes = Some(cx.waker().clone());
        Poll::Pending
    }

    /// A timer whose runtime is gone never goes off, and panics when it is asked: its time is over.
    fn poll_sleep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let poll = || Pin::new(&mut unconstrained(self.sleep.as_mut())).poll(cx);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or(Poll::Ready(()))
    }

    fn reset(&mut self, until: Instant) {
        self.sleep.as_mut().reset(until);
        self.wakes = None;
    }

    /// Whether the timer wakes that task already, and has not gone off: most events come so soon that nothing changes.
    fn is_set_for(&self, cx: &Context<'_>) -> bool {
        let wakes = self.wakes.as_ref().is_some_and(|wakes| wakes.will_wake(cx.waker()));
        wakes && !self.sleep.is_elapsed()
    }
}
