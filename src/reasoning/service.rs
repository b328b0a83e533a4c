//! The layer: sends a target no reasoning of others, and asks once more where it refuses all the same.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::{Layer, Service};

use super::{
    attempt::{AttemptOrigin, Repair, summary},
    observe::observe,
    refusal::repair,
};
use crate::{
    Error, Request, Response, Upstream,
    context::CallContext,
    error::judge,
    provenance::{Maker, Provenance},
    telemetry::EventSink,
    upstream::{ResponseFuture, take_ready},
};

/// A service that sends each target only the reasoning that it has made. See [the module](super).
#[derive(Clone, Debug)]
pub struct Reasoning<S> {
    inner: S,
    layer: ReasoningLayer,
}

/// A layer that wraps a service into a [`Reasoning`]. Clones share their memory.
#[derive(Clone, Debug, Default)]
pub struct ReasoningLayer {
    memory: Provenance,
    events: EventSink,
}

// === impl ReasoningLayer ===

impl ReasoningLayer {
    /// Creates a layer with that memory, which the [fallbacks](crate::fallback::FallbackLayer::provenance) above can share.
    pub fn new(memory: Provenance) -> Self {
        Self { memory, events: EventSink::default() }
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }
}

impl<S> Layer<S> for ReasoningLayer {
    type Service = Reasoning<S>;

    fn layer(&self, inner: S) -> Reasoning<S> {
        Reasoning { inner, layer: self.clone() }
    }
}

// === impl Reasoning ===

impl<S: Upstream> Service<Request> for Reasoning<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let Some(origin) = AttemptOrigin::read(&mut request) else {
            return Box::pin(self.inner.call(request));
        };
        // Nothing to remove, to repair or to learn.
        if !origin.is_learned() && !AttemptOrigin::may_be_refused(&request) {
            return Box::pin(self.inner.call(request));
        }
        Box::pin(run(take_ready(&mut self.inner), self.layer.clone(), request, origin))
    }
}

async fn run<S: Upstream>(
    mut service: S,
    layer: ReasoningLayer,
    mut request: Request,
    origin: AttemptOrigin,
) -> Result<Response, Error> {
    let repeats = !CallContext::of(&mut request).non_replayable;
    let spare = (repeats && AttemptOrigin::may_be_refused(&request)).then(|| request.clone());
    let removed = origin.remove_foreign(&mut request, &layer.memory);
    if removed > 0 {
        summary(removed).emit(&mut request, &layer.events);
    }
    let mut result = service.call(request).await;
    let mut refused = Vec::new();
    if let (Some(mut next), Some(repair)) = (spare, repair(&result, removed > 0)) {
        let changed = match repair {
            Repair::AsItCame => 0,
            Repair::WithoutReasoning => origin.remove_all(&mut next, &mut refused),
        };
        if changed > 0 || repair == Repair::AsItCame {
            if changed > 0 {
                summary(changed).emit(&mut next, &layer.events);
            }
            poll_fn(|cx| service.poll_ready(cx)).await?;
            result = service.call(next).await;
        }
    }
    if !judge(&result).outcome().is_success() {
        return result;
    }
    // What was refused is refused again: the next call is sent without it.
    refused.iter().for_each(|mark| layer.memory.learn(*mark, Maker::nobody(), Instant::now()));
    let mut response = result?;
    if origin.is_learned() {
        observe(&mut response, origin.dialect, origin.maker, &layer.memory);
    }
    Ok(response)
}
