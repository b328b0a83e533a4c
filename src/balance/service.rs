//! The balance layer: sends an attempt to one of several equal targets and records its outcome.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::{
    ConfigError, Error, Request, Response, Upstream,
    context::{AttemptContext, Route},
    error::{FailedAttempt, judge},
    outcome::Outcome,
    stream::FirstContentAt,
    target::{
        Target,
        group::{BalancePolicy, EqualTargets, InFlight, Pool, TargetIndex, Tried, check},
    },
    telemetry::{EventKind, EventSink},
};

/// A service that spreads attempts over equal targets. See [the module](super).
#[derive(Clone, Debug)]
pub struct Balance<S> {
    inner: S,
    layer: BalanceLayer,
}

/// A layer that wraps a service into a [`Balance`]. The default layer serves the fallbacks above it;
/// [`BalancePolicy::build`](super::BalancePolicy::build) creates a layer with its own targets.
#[derive(Clone, Debug, Default)]
pub struct BalanceLayer {
    pool: Option<Arc<Pool>>,
    events: EventSink,
}

pin_project! {
    /// The future of an attempt at one of several equal targets.
    #[derive(Debug)]
    pub struct BalanceFuture<F> {
        #[pin]
        inner: F,
        // `None` if the call has one target, and after the attempt has ended.
        trip: Option<BalancedAttempt>,
    }
}

/// An attempt under way. Dropping it before its end records it as cancelled.
#[derive(Debug)]
struct BalancedAttempt {
    pool: Arc<Pool>,
    index: TargetIndex,
    in_flight: InFlight,
    route: Route,
    events: EventSink,
    over: bool,
}

// === impl BalancePolicy ===

impl BalancePolicy {
    /// Builds a layer that spreads all its calls over these targets, for use without the fallback layer.
    ///
    /// # Errors
    ///
    /// If a value is not allowed, there is no target or too many, or two targets have the same route. The error names the field,
    /// the value and the allowed values.
    pub fn build(
        self,
        targets: impl IntoIterator<Item = Target>,
    ) -> Result<BalanceLayer, ConfigError> {
        let targets: Vec<_> = targets.into_iter().collect();
        self.check("balance")?;
        check(&targets, "balance")?;
        Ok(BalanceLayer::over(Pool::new(targets, self)))
    }
}

// === impl BalanceLayer ===

impl BalanceLayer {
    fn over(pool: Pool) -> Self {
        Self { pool: Some(Arc::new(pool)), events: EventSink::default() }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }
}

impl<S> Layer<S> for BalanceLayer {
    type Service = Balance<S>;

    fn layer(&self, inner: S) -> Balance<S> {
        Balance { inner, layer: self.clone() }
    }
}

// === impl Balance ===

impl<S> Balance<S> {
    /// Rewrites the request for its target, and begins the attempt if there are several targets.
    fn set_out(&self, mut request: Request) -> (Request, Option<BalancedAttempt>) {
        // A retry above has already picked a target, if it knew the targets.
        let (pool, picked) = match (&self.layer.pool, EqualTargets::of_mut(&mut request)) {
            (Some(own), _) => (own.clone(), None),
            (None, Some(equals)) => (equals.pool.clone(), equals.picked.take()),
            (None, None) => return (request, None),
        };
        let (mut request, index) = match picked {
            Some(picked) => (request, picked),
            None => {
                let copies = EqualTargets::copies(&request);
                pool.place(request, &mut Tried::default(), copies.as_ref())
            }
        };
        let route = AttemptContext::route(&mut request);
        let in_flight = pool.begin(index, Instant::now());
        let events = self.layer.events.clone();
        (request, Some(BalancedAttempt { pool, index, in_flight, route, events, over: false }))
    }
}

impl<S: Upstream> Service<Request> for Balance<S> {
    type Response = Response;
    type Error = Error;
    type Future = BalanceFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (request, trip) = self.set_out(request);
        BalanceFuture { inner: self.inner.call(request), trip }
    }
}

// === impl BalanceFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for BalanceFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.inner.poll(cx));
        if let Some(trip) = this.trip.take() {
            trip.arrive(&mut result);
        }
        Poll::Ready(result)
    }
}

// === impl BalancedAttempt ===

impl BalancedAttempt {
    /// Records what is known now, and the rest when the body has ended: until then the attempt counts as under way.
    fn arrive(mut self, result: &mut Result<Response, Error>) {
        let outcome = judge(result).outcome();
        match result {
            Ok(response) if outcome.is_success() && response.body().as_bytes().is_none() => {
                let first = response.extensions().get::<FirstContentAt>();
                let first = first.map_or_else(Instant::now, |first| first.0);
                self.pool.answer(self.index, &mut self.in_flight, first);
                response.body_mut().on_end(move |ending| self.end(ending.outcome()));
            }
            _ => {
                self.end(outcome);
                // The breaker of the target has opened by this failure: the next call need not detect it.
                if let (Some(until), true) = (FailedAttempt::closed(result), outcome.is_retryable())
                {
                    self.pool.close(self.index, until);
                }
            }
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.over = true;
        if let Some(lasts) = self.pool.end(self.index, &mut self.in_flight, outcome) {
            self.events.emit(EventKind::TargetEjected {
                route: self.route.clone(),
                outcome,
                lasts,
            });
        }
    }
}

impl Drop for BalancedAttempt {
    fn drop(&mut self) {
        if !self.over {
            self.end(Outcome::Cancelled);
        }
    }
}
