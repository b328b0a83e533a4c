//! The retry layer: attempt, judge, then stop or wait and try again.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use tokio::time::{Instant, sleep};
use tower::{Layer, Service};

use super::{
    Budgets, RetryPolicy,
    context::RetryContext,
    decide::RetryState,
    in_flight::AttemptNumber,
    next_attempt::NextAttempt,
    record::{PlannedAttempt, least},
    shared::{Random, Shared},
};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    context::{AttemptContext, CallContext, Routes},
    error::judge,
    outcome::Outcome,
    telemetry::EventSink,
    upstream::{ResponseFuture, take_ready},
};

/// A service that sends the same request to the same route again if that can help.
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// A layer that creates [`Retry`] services, which share their budgets.
#[derive(Clone, Debug)]
pub struct RetryLayer {
    shared: Arc<Shared>,
}

// === impl RetryPolicy ===

impl RetryPolicy {
    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// If a value is not allowed. The error names the field, the value and the allowed values.
    pub fn build(self) -> Result<RetryLayer, ConfigError> {
        self.check(None)?;
        let budgets = match &self.budgets {
            Some(budgets) => budgets.clone(),
            None => Budgets::per_route(&Routes::new(), self.budget_ratio, self.budget_reserve),
        };
        Ok(RetryLayer::new(self, budgets))
    }
}

// === impl RetryLayer ===

impl RetryLayer {
    pub(super) fn new(policy: RetryPolicy, budgets: Budgets) -> Self {
        let random = match policy.seed {
            Some(seed) => Random::Seeded(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)))),
            None => Random::Thread,
        };
        let events = EventSink::default();
        Self { shared: Arc::new(Shared { policy, budgets, random, events }) }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        Arc::make_mut(&mut self.shared).events = events;
        self
    }

    /// Keeps the budgets in that registry, which other layers can share. Call it before [`budgets`](Self::budgets). Budgets set
    /// by the policy are kept as they are.
    #[must_use]
    pub fn routes(mut self, routes: &Routes) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        let RetryPolicy { budget_ratio, budget_reserve, ref budgets, .. } = shared.policy;
        if budgets.is_none() {
            shared.budgets = Budgets::per_route(routes, budget_ratio, budget_reserve);
        }
        self
    }

    /// Keeps the budgets of another layer in place of its own. Share and reserve of this layer apply from now on, in the services of
    /// both; what is spent stays spent. Budgets that were set by [`RetryPolicy::budgets`] are used instead. Call it before
    /// [`budgets`](Self::budgets).
    #[must_use]
    pub fn state_of(mut self, other: &Self) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        let RetryPolicy { budget_ratio, budget_reserve, ref budgets, .. } = shared.policy;
        let own = budgets.is_none() && other.shared.policy.budgets.is_none();
        if own && other.shared.budgets.adopt(budget_ratio, budget_reserve) {
            shared.budgets = other.shared.budgets.clone();
        }
        self
    }

    /// The budgets of the layer, to share with other senders of extra attempts.
    pub fn budgets(&self) -> Budgets {
        self.shared.budgets.clone()
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner, shared: self.shared.clone() }
    }
}

// === impl Retry ===

impl<S: Upstream> Service<Request> for Retry<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(run(take_ready(&mut self.inner), self.shared.clone(), request))
    }
}

async fn run<S: Upstream>(
    mut service: S,
    shared: Arc<Shared>,
    mut request: Request,
) -> Result<Response, Error> {
    let mut now = Instant::now();
    let AttemptContext { second_copy: copy, fallback_index: fallback, .. } =
        *AttemptContext::of(&mut request);
    let call = CallContext::of(&mut request);
    let least = least(call, now);
    let budget = call.budget.as_ref().map(|budget| budget.at(fallback));
    let mut retries = RetryState::new(call.non_replayable).within(least, budget);
    let mut context = RetryContext::new(shared, &mut request, least);
    let mut planned = context.plan_attempt(request, &retries, now);
    let mut step = AttemptNumber::first(copy);
    let mut failed = None;
    if copy && context.is_pooled() && !context.withdraw(&planned.at) {
        return Err(Error::new(Outcome::NotSent { retry_in: None }));
    }
    loop {
        let PlannedAttempt { request, spare, at } = planned;
        let Some(mut result) = context.attempt(&mut service, request, &at, step, now).await else {
            return context.finish(failed.unwrap_or_else(|| context.deadline_error()));
        };
        context.settle(&mut result, &at);
        let sent = !is_refused(&result);
        let next = context.next_after(&mut retries, &result, &at);
        let (Some(next), Some(own)) = (next, spare) else {
            // Closed since the last attempt: the provider's answer to it is more useful to the caller than this refusal.
            return context.finish(failed.filter(|_| !sent).unwrap_or(result));
        };
        step = step.next(next.wait(), sent);
        planned = match next {
            NextAttempt::OtherTarget => {
                now = Instant::now();
                let other = context.plan_attempt(own, &retries, now);
                if sent && !context.withdraw(&other.at) {
                    return context.finish(result);
                }
                failed = if sent { unless_open(result) } else { failed };
                other
            }
            NextAttempt::After(wait) => {
                failed = unless_open(result);
                sleep(wait).await;
                now = Instant::now();
                context.plan_attempt(own, &retries, now)
            }
        };
    }
}

fn is_refused(result: &Result<Response, Error>) -> bool {
    matches!(judge(result).outcome(), Outcome::NotSent { .. })
}

/// Keeps a failure during a wait, unless its body is still to come: the connection of an unread answer is released before the
/// wait, not after it.
fn unless_open(failed: Result<Response, Error>) -> Option<Result<Response, Error>> {
    let open = failed.as_ref().is_ok_and(|response| response.body().as_bytes().is_none());
    (!open).then_some(failed)
}
