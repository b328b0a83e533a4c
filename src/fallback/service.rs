//! The fallback layer.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use super::{
    Fallback, FallbackList, FallbackPolicy,
    descent::Descent,
    steps::{FallbackSteps, Gates},
};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    context::Routes,
    latency::Latencies,
    telemetry::Events,
    upstream::{ResponseFuture, take_ready},
};

/// Tries rung after rung. See [the module](super).
#[derive(Clone, Debug)]
pub struct FallbackService<S> {
    steps: FallbackSteps<S>,
}

/// Wraps a service into a [`FallbackService`].
#[derive(Clone, Debug)]
pub struct FallbackLayer {
    policy: Arc<FallbackPolicy>,
    events: Events,
    latencies: Latencies,
    gates: Gates,
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The layer, if every rung is right.
    ///
    /// # Errors
    ///
    /// Names the rung and field that is wrong: a base URL without a host, a name that cannot be a header, a rung below a
    /// canned reply, more than [`MOST`](Self::MOST) rungs.
    pub fn build(self) -> Result<FallbackLayer, ConfigError> {
        self.check(None)?;
        Ok(FallbackLayer::new(self))
    }
}

// === impl FallbackLayer ===

impl FallbackLayer {
    pub(super) fn new(mut policy: FallbackPolicy) -> Self {
        policy.rungs.iter_mut().for_each(Fallback::open);
        let (events, latencies) = (Events::default(), Latencies::default());
        Self { policy: Arc::new(policy), events, latencies, gates: Gates::new(&Routes::new()) }
    }

    /// Sends the events there as well.
    #[must_use]
    pub fn events(mut self, events: Events) -> Self {
        self.events = events;
        self
    }

    /// Keeps in that registry, which the other layers can share, where calls wait for recovery.
    #[must_use]
    pub fn routes(mut self, routes: &Routes) -> Self {
        self.gates = Gates::new(routes);
        self
    }

    /// Its rungs, to be asked where a call would go.
    pub(crate) fn rungs(&self) -> FallbackList {
        FallbackList(self.policy.clone())
    }

    /// Knows from there how long first events usually take.
    pub(crate) fn latencies(mut self, latencies: Latencies) -> Self {
        self.latencies = latencies;
        self
    }
}

impl<S> Layer<S> for FallbackLayer {
    type Service = FallbackService<S>;

    fn layer(&self, inner: S) -> FallbackService<S> {
        let Self { policy, events, latencies, gates } = self.clone();
        FallbackService { steps: FallbackSteps { inner, policy, events, latencies, gates } }
    }
}

// === impl FallbackService ===

impl<S: Upstream> Service<Request> for FallbackService<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.steps.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(Descent::new(take_ready(&mut self.steps), request).go())
    }
}
