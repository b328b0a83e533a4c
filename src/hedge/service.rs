//! The hedge layer: one call, a second copy when it is late, and the first success.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{
    HedgePolicy,
    context::{HedgeContext, Shared},
    race::BoxFuture,
};
use crate::{
    ConfigError, Error, Request, Response, Upstream, budget::Budgets, context::Routes,
    latency::Latencies, telemetry::EventSink, upstream::take_ready,
};

/// A service that sends a second copy of a late call. See [the module](super).
#[derive(Clone, Debug)]
pub struct Hedge<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// A layer that creates [`Hedge`] services, which share their measurements.
#[derive(Clone, Debug)]
pub struct HedgeLayer {
    shared: Arc<Shared>,
}

pin_project! {
    /// The future of a call, and of its second copy if there is one.
    pub struct HedgeFuture<F> {
        #[pin]
        fate: HedgeFutureState<F>,
    }
}

pin_project! {
    #[project = FateProj]
    enum HedgeFutureState<F> {
        // Sent once and measured.
        Once {
            #[pin]
            inner: F,
            context: HedgeContext,
        },
        Twice { sent: BoxFuture },
    }
}

/// The most copies that the budget holds.
const RESERVE: u32 = 10;

// === impl HedgePolicy ===

impl HedgePolicy {
    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// If a value is not allowed. The error names the field, the value and the allowed values.
    pub fn build(self) -> Result<HedgeLayer, ConfigError> {
        self.check()?;
        Ok(HedgeLayer::new(Some(self)))
    }
}

// === impl HedgeLayer ===

impl HedgeLayer {
    pub(super) fn new(policy: Option<HedgePolicy>) -> Self {
        Self::over(policy, &Routes::new(), EventSink::default())
    }

    fn over(policy: Option<HedgePolicy>, routes: &Routes, events: EventSink) -> Self {
        let share = policy.as_ref().map_or(1.0, |policy| policy.budget_ratio);
        let (allowance, latencies) =
            (Budgets::unearned(routes, share, RESERVE), Latencies::new(routes));
        Self { shared: Arc::new(Shared { policy, allowance, latencies, events }) }
    }

    /// A layer that sends no second copies and only measures first events, for [`latencies`](Self::latencies).
    pub fn measuring() -> Self {
        Self::new(None)
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        Arc::make_mut(&mut self.shared).events = events;
        self
    }

    /// Keeps the measurements of each route in that registry, which other layers can share.
    #[must_use]
    pub fn routes(self, routes: &Routes) -> Self {
        let Shared { policy, events, .. } = &*self.shared;
        Self::over(policy.clone(), routes, events.clone())
    }

    /// Keeps the measurements and the budgets for copies of another layer in place of its own. The share of copies of this layer
    /// applies from now on, in the services of both. Call it before [`latencies`](Self::latencies).
    #[must_use]
    pub fn state_of(mut self, other: &Self) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        let Shared { allowance, latencies, .. } = &*other.shared;
        if let Some(policy) = &shared.policy {
            allowance.adopt(policy.budget_ratio, RESERVE);
        }
        (shared.allowance, shared.latencies) = (allowance.clone(), latencies.clone());
        self
    }

    /// The measurements of each route. Call it after [`routes`](Self::routes).
    pub fn latencies(&self) -> Latencies {
        self.shared.latencies.clone()
    }
}

impl<S> Layer<S> for HedgeLayer {
    type Service = Hedge<S>;

    fn layer(&self, inner: S) -> Hedge<S> {
        Hedge { inner, shared: self.shared.clone() }
    }
}

// === impl Hedge ===

impl<S: Upstream> Service<Request> for Hedge<S> {
    type Response = Response;
    type Error = Error;
    type Future = HedgeFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let context = HedgeContext::new(self.shared.clone(), &mut request);
        let fate = match context.twice {
            false => HedgeFutureState::Once { inner: self.inner.call(request), context },
            true => HedgeFutureState::Twice {
                sent: Box::pin(context.run(take_ready(&mut self.inner), request)),
            },
        };
        HedgeFuture { fate }
    }
}

// === impl HedgeFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for HedgeFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().fate.project() {
            FateProj::Once { inner, context } => {
                let result = ready!(inner.poll(cx));
                context.learn(&result, 1);
                Poll::Ready(result)
            }
            FateProj::Twice { sent } => sent.as_mut().poll(cx),
        }
    }
}

impl<F> fmt::Debug for HedgeFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgeFuture").finish_non_exhaustive()
    }
}
