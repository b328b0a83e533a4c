//! The time limits of a body.

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

/// Limits the time between two events with content, and optionally the whole stream.
///
/// Only the time during which the reader waits for the provider counts. A late reader finds the data that has arrived; if none is
/// ready, its wait begins when it polls, as many transports only read on when polled. Comments and pings do not reset the clock,
/// unless a tool of the provider is running: the waits before and after them are added up.
///
/// The whole stream, in contrast, is limited by wall-clock time.
#[derive(Debug)]
pub(crate) struct IdleTimeout {
    idle: Duration,
    whole: Option<Instant>,
    /// Created while a runtime is certain to exist: a body may be read outside of one.
    sleep: Pin<Box<Sleep>>,
    /// The waker registered with the timer.
    wakes: Option<Waker>,
    /// How long the reader has waited since the last content, without the current wait.
    waited: Duration,
    /// Since when the reader has been waiting.
    since: Option<Instant>,
    /// The number of frames without content in a row, and when the first of them arrived.
    empty: u32,
    empty_since: Instant,
    /// Counts events and waiting time, if a minimum throughput is set.
    pace: Option<ThroughputMeter>,
}

// === impl IdleTimeout ===

impl IdleTimeout {
    /// The number of frames without content in a row that is a flood: the reader never waits for it, so wall-clock time counts.
    const FLOOD: u32 = 256;

    /// Creates a clock that starts now. `whole` is the time limit of the whole stream.
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

    /// Counts the events and waits from here on.
    pub(crate) fn pace(mut self, pace: Option<ThroughputMeter>) -> Self {
        self.pace = pace;
        self
    }

    /// Records a frame with `content` events with content; `works`: a tool of the provider is running. Returns the limit that has
    /// passed nevertheless, since a reader that always finds data ready never polls the timer.
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

    /// Resolves to the limit that has passed. Polled only when no data is ready.
    pub(crate) fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let idle = saturating_add(since, self.idle.saturating_sub(self.waited));
        let (until, phase) = match self.whole {
            Some(whole) if whole < idle => (whole, Phase::Stream),
            _ => (idle, Phase::Idle),
        };
        // A timer that is too early is left unchanged: it fires once per idle time instead of being reset by every event.
        if self.sleep.deadline() > until {
            self.reset(until);
        } else if self.is_set_for(cx) {
            return Poll::Pending;
        }
        // Without `unconstrained`, a timer that could not be registered, as the task's budget is used up, would look registered.
        while self.poll_sleep(cx).is_ready() {
            if self.sleep.deadline() >= until {
                return Poll::Ready(phase);
            }
            self.reset(until);
        }
        self.wakes = Some(cx.waker().clone());
        Poll::Pending
    }

    /// A timer whose runtime is shut down never fires, and panics when polled: treat it as elapsed.
    fn poll_sleep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let poll = || Pin::new(&mut unconstrained(self.sleep.as_mut())).poll(cx);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or(Poll::Ready(()))
    }

    fn reset(&mut self, until: Instant) {
        self.sleep.as_mut().reset(until);
        self.wakes = None;
    }

    /// Whether the timer already wakes this task and has not fired: most events arrive so soon that nothing changes.
    fn is_set_for(&self, cx: &Context<'_>) -> bool {
        let wakes = self.wakes.as_ref().is_some_and(|wakes| wakes.will_wake(cx.waker()));
        wakes && !self.sleep.is_elapsed()
    }
}
