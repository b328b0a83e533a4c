//! The layer: changes a request to what its target accepts, and asks once more where the target rejects a field.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::{Layer, Service};

use super::memory::RejectedFields;
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, CallContext, Route},
    dialect::{Dialect, FieldChange, RejectedField, change_fields},
    error::judge,
    target::{Compatibility, edit_body, group::EqualTargets},
    telemetry::{EditSummary, EventSink},
    upstream::{ResponseFuture, take_ready},
};

/// A service that sends each target only the fields that it accepts. See [the module](super).
#[derive(Clone, Debug)]
pub struct Amend<S> {
    inner: S,
    layer: AmendLayer,
}

/// A layer that wraps a service into an [`Amend`]. Clones share what they remember.
#[derive(Clone, Debug, Default)]
pub struct AmendLayer {
    memory: RejectedFields,
    events: EventSink,
}

/// An attempt whose request may be changed.
struct Amended {
    dialect: Dialect,
    route: Route,
}

// === impl AmendLayer ===

impl AmendLayer {
    /// Creates a layer that sends its events to `tracing` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the sink for the events of the layer. The last sink set is used; without one, events only go to `tracing`.
    #[must_use]
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Keeps what another layer remembers: the fields that providers and models have rejected.
    #[must_use]
    pub fn state_of(mut self, other: &Self) -> Self {
        self.memory = other.memory.clone();
        self
    }

    /// Applies changes to a request. Returns whether there were any.
    fn change(&self, request: &mut Request, dialect: Dialect, changes: &[FieldChange]) -> bool {
        // Most targets take everything: then the body is not read.
        if changes.is_empty() {
            return false;
        }
        let Some(changed) = change_fields(request.body(), changes) else { return false };
        edit_body(request, changed.body, dialect);
        EditSummary::of_fields(changed.fields).emit(request, &self.events);
        true
    }
}

impl<S> Layer<S> for AmendLayer {
    type Service = Amend<S>;

    fn layer(&self, inner: S) -> Amend<S> {
        Amend { inner, layer: self.clone() }
    }
}

// === impl Amend ===

impl<S: Upstream> Service<Request> for Amend<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let Some(amended) = Amended::read(&mut request, &self.layer) else {
            return Box::pin(self.inner.call(request));
        };
        Box::pin(amended.run(take_ready(&mut self.inner), self.layer.clone(), request))
    }
}

// === impl Amended ===

impl Amended {
    /// Changes the request of an attempt to what its target is known to accept; `None` for a target whose rejections are the
    /// caller's.
    fn read(request: &mut Request, layer: &AmendLayer) -> Option<Self> {
        let attempt = AttemptContext::of(request);
        let (set, below) = (attempt.compatibility, attempt.fallback_index > 0);
        let elsewhere = below || set.is_some() || EqualTargets::of(request).is_some();
        let dialect = elsewhere.then(|| CallContext::info(request).dialect())??;
        let route = AttemptContext::route(request);
        let guess = || Compatibility::guess(route.provider(), route.model(), dialect);
        let compatibility = set.or_else(|| below.then(guess)).unwrap_or(Compatibility::Full);
        let rejected = layer.memory.changes(&route, request.body(), Instant::now());
        let changes: Vec<_> = compatibility.changes().iter().cloned().chain(rejected).collect();
        layer.change(request, dialect, &changes);
        Some(Self { dialect, route })
    }

    async fn run<S: Upstream>(
        self,
        mut service: S,
        layer: AmendLayer,
        mut request: Request,
    ) -> Result<Response, Error> {
        let spare = (!CallContext::of(&mut request).non_replayable).then(|| request.clone());
        let result = service.call(request).await;
        let fields = rejected_fields(&result);
        let (Some(mut next), false) = (spare, fields.is_empty()) else { return result };
        let body = next.body().clone();
        let changes: Vec<_> = fields.iter().map(RejectedField::change).collect();
        if !has_time(&mut next) || !layer.change(&mut next, self.dialect, &changes) {
            return result;
        }
        poll_fn(|cx| service.poll_ready(cx)).await?;
        let result = service.call(next).await;
        if judge(&result).outcome().is_success() {
            layer.memory.learn(&self.route, &fields, &body, Instant::now());
        }
        result
    }
}

/// The fields that an answer rejects as not supported.
fn rejected_fields(result: &Result<Response, Error>) -> Vec<RejectedField> {
    let Ok(response) = result else { return Vec::new() };
    match response.status().as_u16() {
        400 | 422 => response.body().as_bytes().map_or_else(Vec::new, RejectedField::read),
        _ => Vec::new(),
    }
}

/// Whether there is time for another request.
fn has_time(request: &mut Request) -> bool {
    let call = CallContext::of(request);
    let least = call.min_attempt_time.unwrap_or_default();
    call.deadline.is_none_or(|deadline| deadline.left(Instant::now()) > least)
}
