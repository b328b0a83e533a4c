//! One call: a second copy when it is late, and the first success.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};
use tower::ServiceExt;

use super::{
    HedgePolicy,
    race::{BoxFuture, is_transient, prefer_success, race},
};
use crate::{
    Error, Request, Response, Upstream,
    budget::Budgets,
    context::{AttemptContext, AttemptLog, CallContext, ProbeSignal, QueueTime, TargetBudget},
    error::judge,
    latency::Latencies,
    route_state::RouteHandle,
    target::group::{EqualTargets, HedgedTargets},
    telemetry::{EventKind, EventSink},
    time::saturating_add,
};

/// The state that all calls of one layer share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    /// `None`: first events are measured, and no second copy is sent.
    pub(super) policy: Option<HedgePolicy>,
    /// The budget of the policy, besides the budgets of the retries.
    pub(super) allowance: Budgets,
    pub(super) latencies: Latencies,
    pub(super) events: EventSink,
}

/// One call that may get a second copy.
pub(super) struct HedgeContext {
    shared: Arc<Shared>,
    at: RouteHandle,
    stream: bool,
    attempt_log: AttemptLog,
    /// Shows whether an attempt of the call is a breaker's probe; set if a second copy may be sent.
    probe: Option<ProbeSignal>,
    /// The time of the call in this client's queues; set if a second copy may be sent.
    queue: Option<QueueTime>,
    /// The attempts that the whole call may send; set if a second copy may be sent.
    budget: Option<TargetBudget>,
    /// Whether a second copy may be sent.
    pub(super) twice: bool,
    /// Whether the call goes to one of several equal targets, each with its own budget.
    pooled: bool,
    started: Instant,
    /// The number of attempts in the attempt log when the call started.
    sent: u32,
}

// === impl HedgeContext ===

impl HedgeContext {
    pub(super) fn new(shared: Arc<Shared>, request: &mut Request) -> Self {
        let started = Instant::now();
        let at = AttemptContext::state(request, shared.latencies.routes(), started);
        let info = CallContext::info(request);
        let call = CallContext::of(request);
        let attempt_log = call.attempt_log.clone();
        let known = info.dialect().is_some() && info.effects().repeats();
        let twice = shared.policy.is_some() && !call.non_replayable && known;
        let pooled = match EqualTargets::of_mut(request) {
            Some(equals) => {
                equals.copies = twice.then(HedgedTargets::default);
                true
            }
            None => false,
        };
        let attempt = AttemptContext::of(request);
        let fallback = attempt.fallback_index;
        let probe = twice.then(|| attempt.probe_signal.get_or_insert_default().clone());
        let queue = twice.then(QueueTime::default);
        attempt.queue_time = queue.clone();
        let call = CallContext::of(request);
        let budget = twice.then(|| call.budget.get_or_insert_default().at(fallback));
        Self {
            twice,
            pooled,
            stream: info.stream(),
            started,
            sent: attempt_log.sent(),
            at,
            attempt_log,
            probe,
            queue,
            budget,
            shared,
        }
    }

    pub(super) async fn run<S: Upstream>(
        self,
        mut inner: S,
        request: Request,
    ) -> Result<Response, Error> {
        self.earn();
        let (spare, repeated) = (inner.clone(), request.clone());
        let mut first: BoxFuture = Box::pin(inner.call(request));
        let failed = tokio::select! {
            biased;
            result = &mut first => match is_transient(&result) {
                true => Some(result),
                false => {
                    self.learn(&result, 1);
                    return result;
                }
            },
            () = self.late() => None,
        };
        match (failed, self.second(spare, repeated)) {
            (None, None) => {
                let result = first.await;
                self.learn(&result, 1);
                result
            }
            (None, Some(second)) => {
                let result = race(first, second).await;
                self.learn(&result, 2);
                result
            }
            (Some(failed), None) => failed,
            (Some(failed), Some(second)) => prefer_success(failed, second.await),
        }
    }

    /// Adds this call's part of a copy to the budget. The retry budgets are filled by the retries.
    fn earn(&self) {
        self.shared.allowance.at(&self.at, Instant::now()).deposit();
    }

    fn budgets(&self) -> Option<&Budgets> {
        self.shared.policy.as_ref().and_then(|policy| policy.budgets.as_ref())
    }

    /// Waits until the call is late; forever if the latency is unknown.
    async fn late(&self) {
        let query = self.shared.policy.as_ref().map(HedgePolicy::late_after);
        let latencies = &self.shared.latencies;
        match query.and_then(|query| latencies.quantile(&self.at, self.stream, query)) {
            Some(usual) => self.waited_longer_than(usual).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until the call has taken longer than `usual`, not counting its time in this client's queues.
    async fn waited_longer_than(&self, usual: Duration) {
        let left = || usual.saturating_sub(self.waited(Instant::now()));
        while !left().is_zero() {
            if let Some(queue) = &self.queue {
                queue.left().await;
            }
            sleep_until(saturating_add(Instant::now(), left())).await;
        }
    }

    /// The time that the provider has taken.
    fn waited(&self, now: Instant) -> Duration {
        let queued = self.queue.as_ref().map_or(Duration::ZERO, QueueTime::total);
        now.saturating_duration_since(self.started).saturating_sub(queued)
    }

    /// The second copy, if the budgets allow it. A probe has none: a failing provider gets one attempt.
    fn second<S: Upstream>(&self, inner: S, mut request: Request) -> Option<BoxFuture> {
        let now = Instant::now();
        let allowance = self.shared.allowance.at(&self.at, now);
        let probe = self.probe.as_ref().and_then(ProbeSignal::probe);
        let budget = self.budget.as_ref()?;
        if probe.is_some() || allowance.left() == 0 || !budget.may_repeat() {
            return None;
        }
        // Of equal targets, the one that gets the copy pays, once it is picked.
        let payer = self.budgets().filter(|_| !self.pooled);
        let granted = payer.is_none_or(|budgets| budgets.at(&self.at, now).withdraw());
        if !(granted && allowance.withdraw() && budget.repeat()) {
            return None;
        }
        // The call has one retry fewer, if it has any.
        budget.take(None);
        let attempt = AttemptContext::of(&mut request);
        (attempt.second_copy, attempt.queue_time) = (true, None);
        let after = self.started.elapsed();
        self.shared.events.emit(EventKind::Hedged { route: self.at.route().clone(), after });
        Some(Box::pin(inner.oneshot(request)))
    }

    /// Records the time to the commit point; for a call with a second copy, a lower bound of it. A call with more attempts than
    /// `copies` shows no latency of a single attempt.
    pub(super) fn learn(&self, result: &Result<Response, Error>, copies: u32) {
        let attempts = self.attempt_log.sent().saturating_sub(self.sent);
        if attempts <= copies && judge(result).outcome().is_success() {
            let now = Instant::now();
            self.shared.latencies.record(&self.at, self.stream, self.waited(now), now);
        }
    }
}
