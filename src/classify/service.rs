//! Reads every answer until its outcome is known.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use super::{ClassifyPolicy, local_trouble, reading::Reading, tls_failure};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    context::{AttemptContext, CallContext},
    stream::{CommitPolicy, ProgressSignal},
    telemetry::EventSink,
    upstream::{ResponseFuture, take_ready},
};

/// A layer that puts [`Classify`] around a service.
#[derive(Clone, Debug)]
pub struct ClassifyLayer {
    policy: Arc<ClassifyPolicy>,
    events: EventSink,
}

/// A service that reads every answer until its outcome is known, and stores the verdict.
///
/// An answer is returned with its [`Verdict`](crate::outcome::Verdict) in its extensions, and with the
/// [`UsageHandle`](crate::dialect::UsageHandle) if its dialect is known. A response
/// with a success status that is no answer (an error inside a 200, no content, another language than the API's, a body cut short)
/// is returned as an error. A response with another status is returned as it is, with its verdict.
#[derive(Clone, Debug)]
pub struct Classify<S> {
    inner: S,
    policy: Arc<ClassifyPolicy>,
    events: EventSink,
}

// === impl ClassifyPolicy ===

impl ClassifyPolicy {
    /// Builds the layer.
    pub fn build(self) -> Result<ClassifyLayer, ConfigError> {
        self.check()?;
        Ok(ClassifyLayer::new(self))
    }
}

// === impl ClassifyLayer ===

impl ClassifyLayer {
    pub(crate) fn new(policy: ClassifyPolicy) -> Self {
        Self { policy: Arc::new(policy), events: EventSink::default() }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }
}

impl Default for ClassifyLayer {
    fn default() -> Self {
        Self::new(ClassifyPolicy::default())
    }
}

impl<S> Layer<S> for ClassifyLayer {
    type Service = Classify<S>;

    fn layer(&self, inner: S) -> Classify<S> {
        Classify { inner, policy: self.policy.clone(), events: self.events.clone() }
    }
}

// === impl Classify ===

impl<S: Upstream> Service<Request> for Classify<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let info = CallContext::info(&mut request);
        let route = AttemptContext::route(&mut request);
        let codes = self.policy.codes.at(route.provider());
        let attempt_log = CallContext::of(&mut request).attempt_log.clone();
        let pulse = request.extensions().get::<ProgressSignal>().cloned();
        let mut hold = self.policy.hold;
        if let Some(commit) = request.extensions().get::<CommitPolicy>() {
            hold.commit = *commit;
        }
        let reading = Reading {
            policy: self.policy.clone(),
            codes,
            attempt_log,
            pulse,
            hold,
            route,
            events: self.events.clone(),
        };
        let mut inner = take_ready(&mut self.inner);
        Box::pin(async move {
            let response = inner.call(request).await.map_err(explained)?;
            reading.read(response, &info).await
        })
    }
}

/// Adds what is known about the cause of an attempt that did not reach the provider.
fn explained(error: Error) -> Error {
    tls_failure::attribute(local_trouble::attribute(error))
}
