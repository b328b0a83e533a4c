//! The permits of a breaker.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{
        CircuitBreaker, Refusal,
        admission_record::AdmissionRecord,
        decision_input::{CallerInfo, DecisionInput},
        judge::AttemptEnd,
        parent::ParentPermit,
        provider_routes::ProviderRoute,
        settle::Unsettled,
    },
    context::{Admission, Admits, QueueStage},
    error::FailedAttempt,
    outcome::{BreakerSignal, Outcome},
};

/// The permission to send one call.
///
/// Report the outcome with [`record`](Self::record); a permit dropped before that counts as [`Outcome::Cancelled`].
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as a cancelled call"]
pub struct Permit {
    breaker: CircuitBreaker,
    ticket: AdmissionRecord,
    admission: Option<Admission>,
    /// The permit of the coarse breaker, where the routes of other credentials fail too.
    above: Option<Box<dyn ParentPermit>>,
    ended: bool,
}

/// The handle through which a queue asks the breaker again about an admitted attempt.
struct PermitInner {
    breaker: CircuitBreaker,
    caller: CallerInfo,
}

// === impl CircuitBreaker ===

impl CircuitBreaker {
    /// Returns a permit for a call that starts at `now`, or a refusal. Never waits.
    ///
    /// `random` is in `[0, 1)` and spreads out actions that would otherwise happen at the same time in all processes.
    pub fn try_acquire(&self, now: Instant, random: f64) -> Result<Permit, Refusal> {
        self.ask(now, random, CallerInfo::default())
    }

    /// The same, for an attempt with known properties.
    pub(crate) fn ask(
        &self,
        now: Instant,
        random: f64,
        mut caller: CallerInfo,
    ) -> Result<Permit, Refusal> {
        caller.sibling_troubled = self.sibling().is_some_and(ProviderRoute::is_another_troubled);
        let ticket = self.decide(|machine, policy| {
            machine.admit(DecisionInput { policy, now, random }, caller)
        })?;
        let mut permit =
            Permit { breaker: self.clone(), ticket, admission: None, above: None, ended: false };
        if let Some(above) = self.above() {
            permit.above = match above.admit(now, random, caller) {
                Ok(permit) => permit,
                Err(refusal) => {
                    // No request is sent, so the outcome is no evidence.
                    permit.record(refusal.outcome(), now);
                    return Err(refusal);
                }
            };
        }
        Ok(permit)
    }
}

// === impl Permit ===

impl Permit {
    /// Whether the call is a probe that is not decided yet.
    pub fn is_probe(&self) -> bool {
        self.ticket.is_probe()
    }

    /// The handle with which a queue below reports that the call waits.
    pub(crate) fn admission(&mut self) -> Admission {
        let admitted = || PermitInner { breaker: self.breaker.clone(), caller: self.ticket.caller };
        self.admission.get_or_insert_with(|| Admission::new(admitted())).clone()
    }

    /// Excludes the time in the queue from the latency. Returns whether the call left the queue.
    fn leave_queue(&mut self) -> bool {
        match self.admission.as_ref().map(Admission::stage) {
            Some(QueueStage::Left(at)) => self.ticket.started = self.ticket.started.max(at),
            Some(QueueStage::Queued) => return false,
            Some(QueueStage::NotQueued) | None => (),
        }
        true
    }

    /// Marks the answer as not streamed: it may take longer before it is slow.
    pub fn unary(mut self) -> Self {
        self.ticket.whole();
        self
    }

    /// Records that the first event of the answer has arrived and the rest follows. Counts the latency; a probe that was not slow
    /// has succeeded.
    pub fn first_event(&mut self, now: Instant) {
        self.leave_queue();
        let Self { breaker, ticket, .. } = self;
        breaker.decide_with(now, ticket.random, false, |machine, at| machine.begin(at, ticket));
        if let Some(above) = self.breaker.above() {
            above.report(Outcome::Success, now);
        }
        if let Some(above) = &mut self.above {
            above.begin(now);
        }
    }

    /// Records that the stream was too slow after its first event: the call counts as slow.
    pub fn slow_body(&mut self) {
        self.ticket.trickled = true;
    }

    /// Records the outcome of the call. After [`first_event`](Self::first_event) a cancelled call counts as a success.
    pub fn record(mut self, outcome: Outcome, now: Instant) {
        self.settle(outcome, now, false);
    }

    /// Records the outcome of an attempt that a retry may follow: whether its call has failed is reported later.
    pub(crate) fn fail(mut self, outcome: Outcome, now: Instant) -> FailedAttempt {
        let unsettled = self.settle(outcome, now, true);
        let above = self.breaker.above().and_then(|above| above.open_until(now));
        let until = self.breaker.open_until(now).max(above);
        if !unsettled {
            return FailedAttempt::settled(until);
        }
        let (breaker, generation) = (self.breaker.clone(), self.ticket.generation);
        FailedAttempt::new(until, Unsettled { breaker, generation, wait: outcome.wait() })
    }

    /// Records the outcome; returns whether the failure of the call still has to be counted.
    fn settle(&mut self, outcome: Outcome, now: Instant, deferred: bool) -> bool {
        self.ended = true;
        // The attempt was never sent, or only its connection failed, so it is no evidence about the route.
        let unsent = Outcome::NotSent { retry_in: None };
        let lost = self.admission.as_ref().is_some_and(|it| it.connection().is_at_fault());
        let outcome = if self.leave_queue() && !lost { outcome } else { unsent };
        let Self { breaker, ticket, .. } = self;
        let end = AttemptEnd { outcome, deferred };
        let failed = outcome.breaker_signal() == BreakerSignal::Failure;
        let random = ticket.random;
        let unsettled =
            breaker.decide_with(now, random, failed, |machine, at| machine.end(at, ticket, end));
        if let Some(above) = self.breaker.above() {
            above.report(outcome, now);
        }
        if let Some(above) = self.above.take() {
            above.end(outcome, now);
        }
        unsettled
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.ended {
            let now = Instant::now();
            self.settle(self.ticket.given_up(now), now, false);
        }
    }
}

// === impl PermitInner ===

impl Admits for PermitInner {
    fn still_admits(&self, now: Instant) -> Result<(), Duration> {
        self.breaker.still_lets(now, self.caller)
    }
}
