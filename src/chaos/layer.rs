//! The layer that injects faults.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use super::{ChaosPolicy, injector::Injector};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    telemetry::EventSink,
    upstream::{AttemptFuture, take_ready},
};

/// A layer that puts [`Chaos`] around a service. It belongs directly above the transport.
#[derive(Clone, Debug)]
pub struct ChaosLayer {
    injector: Arc<Injector>,
}

/// A service that injects faults into attempts while its switch is on. See [the module](super).
#[derive(Clone, Debug)]
pub struct Chaos<S> {
    inner: S,
    injector: Arc<Injector>,
}

// === impl ChaosPolicy ===

impl ChaosPolicy {
    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// If a value is not allowed. The error names the field, the value and the allowed values.
    pub fn build(self) -> Result<ChaosLayer, ConfigError> {
        self.check()?;
        Ok(ChaosLayer::new(self))
    }
}

// === impl ChaosLayer ===

impl ChaosLayer {
    fn new(policy: ChaosPolicy) -> Self {
        Self { injector: Arc::new(Injector::new(policy, EventSink::default())) }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(self, events: EventSink) -> Self {
        Self { injector: Arc::new(self.injector.with_events(events)) }
    }
}

impl<S> Layer<S> for ChaosLayer {
    type Service = Chaos<S>;

    fn layer(&self, inner: S) -> Chaos<S> {
        Chaos { inner, injector: self.injector.clone() }
    }
}

// === impl Chaos ===

impl<S: Upstream> Service<Request> for Chaos<S> {
    type Response = Response;
    type Error = Error;
    type Future = AttemptFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        match self.injector.next(&mut request) {
            None => AttemptFuture::passed(self.inner.call(request)),
            Some(injection) => {
                AttemptFuture::own(injection.run(take_ready(&mut self.inner), request))
            }
        }
    }
}
