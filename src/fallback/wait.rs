//! A call that waits for recovery: the fallbacks above are asked again, by one call at a time.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{
    failure::Failure,
    recovery_queue::{QueueTicket, RecoveryQueue},
    run::{FallbackRun, StepResult},
};
use crate::{Upstream, outcome::Outcome, telemetry::EventKind, time::saturating_add};

/// How long a call waits before it asks again.
struct Pause {
    /// It is known that nobody is back before.
    known: Duration,
    asks: Duration,
}

/// The shortest and the longest time after which a call that waits asks again: our own breaker answers it at no cost.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Where no fallback says when to come back: the first wait, doubled each time, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// So many answers that are of no use (cut, empty, not of this API) a call pays for while it waits: then it is the request
/// that has none, and no outage.
const USELESS: u32 = 5;
/// As long after the last one the next call that waits asks again, so that they come back one by one.
const APART: Duration = Duration::from_millis(20);

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    /// Parks the call until a fallback above answers it, or its time is over.
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
            // What is known to take longer is not waited for.
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

    /// Asks the fallbacks above once more, when it is this call's turn and not before then; `None` when its time is over first.
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
            // It is under way, or in a queue: the next may ask.
            () = sleep(APART) => {
                drop(turn);
                Some(way.await)
            }
        }
    }

    /// The gate of the route that the call asked first: one that is out does not hold up the others.
    fn gate(&self) -> RecoveryQueue {
        let first = self.attempt_log().attempts().into_iter().next();
        let queues = &self.steps().queues;
        first.map_or_else(RecoveryQueue::default, |attempt| queues.of(&attempt.route))
    }

    /// By when a call that waits at a fallback gives up, for the sake of those below.
    fn until(&self, at: usize) -> Option<Instant> {
        let deadline = self.deadline()?;
        let reserve = self.policy().reserve(at, deadline.left(Instant::now()), false);
        Some(deadline.less(reserve).instant())
    }
}

// === impl Failure ===

impl Failure {
    /// Whether an answer came that was paid for, and is none. A broken connection is what an outage looks like.
    fn was_useless(&self) -> bool {
        matches!(self.last, Outcome::Truncated | Outcome::Empty | Outcome::Malformed)
    }

    /// Our own breakers answer at no cost and may be right earlier than they said, so they are asked sooner.
    fn pause(&self, backoff: Duration) -> Pause {
        let known = self.again.unwrap_or_default();
        let asks = self.again.map_or(backoff, |again| again.max(PAUSE.0));
        Pause { known, asks: if self.sent { asks } else { asks.min(PAUSE.1) } }
    }
}
