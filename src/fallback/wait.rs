//! A call that waits for recovery: the fallbacks above are tried again, by one call at a time.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{
    failure::Failure,
    recovery_queue::{QueueTicket, RecoveryQueue},
    run::{FallbackRun, StepResult},
};
use crate::{Upstream, outcome::Outcome, telemetry::EventKind, time::saturating_add};

/// How long a call waits before it tries again.
struct Pause {
    /// No target is expected back before this time.
    known: Duration,
    asks: Duration,
}

/// The shortest and the longest wait before a waiting call tries again while only our own breaker refuses, which costs nothing.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Without a reported wait: the first wait, doubled each time, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The number of useless answers (truncated, empty, malformed) that a waiting call pays for. With more than that, the cause is
/// the request and not an outage.
const USELESS: u32 = 5;
/// The interval between waiting calls, so that they resume one by one.
const APART: Duration = Duration::from_millis(20);

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    /// Holds the call until a fallback above answers it or its time is over.
    pub(super) async fn wait(&mut self, at: usize, mut failure: Failure) -> StepResult {
        let gate = self.gate();
        let ticket = gate.ticket();
        let name = self.policy().fallbacks[at].name.clone();
        self.steps().events.emit(EventKind::FallbackEntered { fallback: at as u16, name });
        let (mut backoff, mut useless) = (BACKOFF.0, 0);
        loop {
            useless += u32::from(failure.was_useless());
            if useless > USELESS {
                return StepResult::Failed(failure);
            }
            let pause = failure.pause(backoff);
            // A target that recovers sooner would not be asked.
            let resend = self.resend_wait();
            let pause = Pause { known: pause.known.max(resend), asks: pause.asks.max(resend) };
            // Do not wait for a recovery that is known to be too late.
            if self
                .until(at)
                .is_some_and(|until| saturating_add(Instant::now(), pause.known) >= until)
            {
                return StepResult::Failed(failure);
            }
            let not_before = saturating_add(Instant::now(), pause.asks);
            match self.again(at, &gate, ticket, not_before).await {
                Some(StepResult::Failed(failed)) => {
                    failure = Failure { first: failure.first, ..failed }
                }
                Some(told) => return told,
                None => return StepResult::Failed(failure),
            }
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    /// Tries the fallbacks above again, when it is this call's turn and not before `not_before`; `None` if its time is over
    /// first.
    async fn again(
        &mut self,
        at: usize,
        gate: &RecoveryQueue,
        ticket: QueueTicket,
        not_before: Instant,
    ) -> Option<StepResult> {
        let ready = async {
            let turn = gate.turn(ticket).await;
            sleep_until(not_before.max(gate.opens(APART))).await;
            gate.passed();
            turn
        };
        let turn = match self.until(at) {
            Some(until) => timeout_at(until, ready).await.ok()?,
            None => ready.await,
        };
        self.forget_asked();
        let mut way = self.run_range_boxed(0..at, None);
        tokio::select! {
            biased;
            end = &mut way => Some(end),
            // The call is under way, or in a queue: the next may try.
            () = sleep(APART) => {
                drop(turn);
                Some(way.await)
            }
        }
    }

    /// The queue of the first route that the call tried, so that calls of one failing route do not hold up the others.
    fn gate(&self) -> RecoveryQueue {
        let first = self.attempt_log().attempts().into_iter().next();
        let queues = &self.steps().queues;
        first.map_or_else(RecoveryQueue::default, |attempt| queues.of(&attempt.route))
    }

    /// When a call that waits at a fallback gives up, to leave time for those below.
    fn until(&self, at: usize) -> Option<Instant> {
        let deadline = self.deadline()?;
        let reserve = self.policy().reserve(at, deadline.left(Instant::now()), false);
        Some(deadline.less(reserve).instant())
    }
}

// === impl Failure ===

impl Failure {
    /// Whether the last answer was billed and useless. A lost connection does not count: outages look like that.
    fn was_useless(&self) -> bool {
        matches!(
            self.last,
            Outcome::Truncated | Outcome::Empty | Outcome::Malformed | Outcome::Unfinished
        )
    }

    /// Our own breakers refuse at no cost and may close earlier than reported, so they are tried sooner.
    fn pause(&self, backoff: Duration) -> Pause {
        let known = self.again.unwrap_or_default();
        let asks = self.again.map_or(backoff, |again| again.max(PAUSE.0));
        Pause { known, asks: if self.sent { asks } else { asks.min(PAUSE.1) } }
    }
}
