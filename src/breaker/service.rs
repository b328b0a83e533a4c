//! The breaker as a Tower layer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt, util::Oneshot};

use crate::{
    ConfigError, Error, Request, Response, Upstream,
    breaker::{BreakerPolicy, Breakers, Permit, decision_input::CallerInfo},
    context::{AttemptContext, CallContext, Deadline, Raised, Routes},
    error::judge,
    outcome::{Outcome, Phase},
    stream::BodyEnd,
    stream::{FirstContentAt, ThroughputMeter},
    target::group::EqualTargets,
    telemetry::{EventKind, EventSink},
};

/// A layer that puts one breaker for each route in front of a service. Created by [`BreakerPolicy::build`].
#[derive(Clone, Debug)]
pub struct BreakerLayer {
    breakers: Breakers,
}

/// A service behind one breaker for each route.
#[derive(Clone, Debug)]
pub struct Breaker<S> {
    inner: S,
    breakers: Breakers,
}

pin_project! {
    /// The future of a call that was admitted or refused.
    pub struct BreakerFuture<S: Upstream> {
        #[pin]
        fate: BreakerFutureState<S>,
    }
}

pin_project! {
    #[project = FateProj]
    enum BreakerFutureState<S: Upstream> {
        Refused { error: Option<Error> },
        Admitted {
            #[pin]
            call: Oneshot<S, Request>,
            permit: Option<Permit>,
            deferred: bool,
            probing: Option<Raised>,
        },
    }
}

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// Builds a layer with one breaker of this policy for each route.
    pub fn build(self) -> Result<BreakerLayer, ConfigError> {
        self.check()?;
        Ok(BreakerLayer::new(self))
    }
}

// === impl BreakerLayer ===

impl BreakerLayer {
    pub(crate) fn new(policy: BreakerPolicy) -> Self {
        Self { breakers: Breakers::new(policy) }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(self, events: EventSink) -> Self {
        self.breakers.send_to(events);
        self
    }

    /// Keeps the breakers in that registry, which other layers can share. Call it before [`handle`](Self::handle).
    #[must_use]
    pub fn routes(self, routes: &Routes) -> Self {
        Self { breakers: self.breakers.kept_in(routes) }
    }

    /// Keeps the breakers of another layer in place of its own: the state of every route, and the handles to them. Breakers that
    /// exist go on under the policy of this layer, in the services of both. Call it before [`events`](Self::events) and
    /// [`handle`](Self::handle).
    #[must_use]
    pub fn state_of(self, other: &Self) -> Self {
        other.breakers.adopt(self.breakers.policy());
        other.clone()
    }

    /// The breakers of all services that this layer creates.
    pub fn handle(&self) -> Breakers {
        self.breakers.clone()
    }
}

impl<S> Layer<S> for BreakerLayer {
    type Service = Breaker<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaker { inner, breakers: self.breakers.clone() }
    }
}

// === impl Breaker ===

impl<S: Upstream> Service<Request> for Breaker<S> {
    type Response = Response;
    type Error = Error;
    type Future = BreakerFuture<S>;

    /// Always ready: a refusal does not wait, and a ready route may refuse later. The readiness of the inner service is awaited
    /// within the call, so that its failure counts.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let now = Instant::now();
        let deadline = CallContext::deadline(&request);
        if deadline.is_some_and(|deadline| deadline.left(now).is_zero()) {
            // The call is not sent, so it is no evidence about the route and must not be its probe.
            let late = Outcome::TimedOut { phase: Phase::Deadline };
            return BreakerFuture {
                fate: BreakerFutureState::Refused { error: Some(late.into()) },
            };
        }
        let at = AttemptContext::state(&mut request, self.breakers.routes(), now);
        let whole = !CallContext::info(&mut request).stream();
        let equals = EqualTargets::of(&request).is_some();
        let attempt = AttemptContext::of(&mut request);
        let deferred = attempt.deferred;
        let caller = CallerInfo {
            deadline: deadline.map(Deadline::instant),
            elsewhere: !attempt.insists && (attempt.elsewhere || equals),
            extra: attempt.extra,
            whole,
            ..CallerInfo::default()
        };
        let acquired = self.breakers.at(&at, now).ask(now, fastrand::f64(), caller);
        let fate = match acquired {
            Ok(mut permit) => {
                let attempt = AttemptContext::of(&mut request);
                attempt.admission = Some(permit.admission());
                attempt.probe = permit.is_probe();
                let signal = attempt.probe_signal.clone().filter(|_| permit.is_probe());
                let probing = signal.map(|signal| signal.raise(at.route().clone()));
                let call = self.inner.clone().oneshot(request);
                BreakerFutureState::Admitted { call, permit: Some(permit), deferred, probing }
            }
            Err(refusal) => {
                let (route, retry_in) = (at.route().clone(), refusal.retry_in());
                self.breakers.emit(EventKind::BreakerRefused { route, retry_in });
                BreakerFutureState::Refused { error: Some(refusal.into()) }
            }
        };
        BreakerFuture { fate }
    }
}

// === impl BreakerFuture ===

impl<S: Upstream> Future for BreakerFuture<S> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().fate.project() {
            FateProj::Refused { error } => {
                Poll::Ready(Err(error.take().expect("a future is not polled after it was ready")))
            }
            FateProj::Admitted { call, permit, deferred, probing } => {
                let mut result = ready!(call.poll(cx));
                if let Some(permit) = permit.take() {
                    report(permit, *deferred, &mut result);
                }
                *probing = None;
                Poll::Ready(result)
            }
        }
    }
}

impl<S: Upstream> fmt::Debug for BreakerFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerFuture").finish_non_exhaustive()
    }
}

/// Reports what is known now, and the rest when the body has ended.
fn report(mut permit: Permit, deferred: bool, result: &mut Result<Response, Error>) {
    let now = Instant::now();
    let outcome = judge(result).outcome();
    match result {
        Ok(response) if outcome.is_success() && response.body().as_bytes().is_none() => {
            // An answer held back beyond its first content has the latency of that content.
            let first = response.extensions().get::<FirstContentAt>().map_or(now, |first| first.0);
            permit.first_event(first);
            let pace = response.extensions().get::<ThroughputMeter>().cloned();
            response.body_mut().on_end(move |ending: &BodyEnd| {
                if pace.is_some_and(|pace| pace.slow().is_some()) {
                    permit.slow_body();
                }
                permit.record(ending.outcome(), Instant::now());
            });
        }
        _ if deferred && outcome.is_retryable() => permit.fail(outcome, now).attach(result),
        _ => permit.record(outcome, now),
    }
}
