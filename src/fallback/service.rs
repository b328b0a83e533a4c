//! The fallback layer.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use super::{
    Fallback, FallbackList, FallbackPolicy,
    run::FallbackRun,
    steps::{FallbackSteps, RecoveryQueues},
};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    context::Routes,
    latency::Latencies,
    provenance::Provenance,
    telemetry::EventSink,
    upstream::{ResponseFuture, take_ready},
};

/// Tries the fallbacks in order until one answers. See [the module](super).
#[derive(Clone, Debug)]
pub struct FallbackService<S> {
    steps: FallbackSteps<S>,
}

/// Wraps a service into a [`FallbackService`].
#[derive(Clone, Debug)]
pub struct FallbackLayer {
    pub(super) policy: Arc<FallbackPolicy>,
    events: EventSink,
    latencies: Latencies,
    pub(super) queues: RecoveryQueues,
    pub(super) memory: Provenance,
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// Builds the layer, if every fallback is valid.
    ///
    /// # Errors
    ///
    /// Names the fallback and the field that is wrong: a base URL without a host, a name that cannot be a header, a fallback
    /// below a canned reply, more than [`MAX_FALLBACKS`](Self::MAX_FALLBACKS) fallbacks.
    pub fn build(self) -> Result<FallbackLayer, ConfigError> {
        self.check(None)?;
        Ok(FallbackLayer::new(self))
    }
}

// === impl FallbackLayer ===

impl FallbackLayer {
    pub(super) fn new(mut policy: FallbackPolicy) -> Self {
        policy.fallbacks.iter_mut().for_each(Fallback::open);
        let (events, latencies) = (EventSink::default(), Latencies::default());
        Self {
            policy: Arc::new(policy),
            events,
            latencies,
            queues: RecoveryQueues::new(&Routes::new()),
            memory: Provenance::new(),
        }
    }

    /// Sends the events of the layer to that sink. The last sink set is used; without one they go to `tracing` alone.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Keeps the queues of calls that wait for recovery in that registry, which the other layers can share.
    #[must_use]
    pub fn routes(mut self, routes: &Routes) -> Self {
        self.queues = RecoveryQueues::new(routes);
        self
    }

    /// Looks up in that memory which fallback has made a stored response that a call refers to, so that the call goes there: see
    /// [which calls stay](super#which-calls-stay). Shared with a [`ReasoningLayer`](crate::reasoning::ReasoningLayer) below, which
    /// fills it; without one it is empty.
    #[must_use]
    pub fn provenance(mut self, memory: &Provenance) -> Self {
        self.memory = memory.clone();
        self
    }

    /// The fallbacks, to look up the routes of a call.
    pub(crate) fn fallbacks(&self) -> FallbackList {
        FallbackList(self.policy.clone())
    }

    /// Uses the latencies that a [hedge](crate::hedge::HedgeLayer::latencies) below measures, to decide how long a probe may take
    /// before the next target is tried concurrently. Without it the usual time of a route is unknown.
    #[must_use]
    pub fn latencies(mut self, latencies: Latencies) -> Self {
        self.latencies = latencies;
        self
    }
}

impl<S> Layer<S> for FallbackLayer {
    type Service = FallbackService<S>;

    fn layer(&self, inner: S) -> FallbackService<S> {
        let Self { policy, events, latencies, queues, memory } = self.clone();
        let steps = FallbackSteps { inner, policy, events, latencies, queues, memory };
        FallbackService { steps }
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
        Box::pin(FallbackRun::new(take_ready(&mut self.steps), request).run())
    }
}
