//! The cache layer: serves a stored answer, or sends the call, alone or shared with equal calls.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::HeaderValue;
use tokio::{runtime::Handle, time::Instant};
use tower::{Layer, Service};

use super::{
    CachePolicy,
    coalesce::{CallSettings, CoalesceKey, JoinResult, WaitTerms},
    entry::Shape,
    lookup::{CacheSlot, Shared},
};
use crate::{
    ConfigError, Error, Request, Response, Upstream,
    context::{ATTEMPTS, CallContext, LocalAnswersOnly, SERVED_BY, StoredAnswer},
    outcome::{Outcome, Phase},
    target::SpokenDialects,
    telemetry::{AnswerSource, EventKind, EventSink},
    upstream::ResponseFuture,
    upstream::take_ready,
};

/// Stores answers, and serves them. See [the module](super).
#[derive(Clone)]
pub struct Cache<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// Wraps services into [`Cache`]s, which share one store.
#[derive(Clone)]
pub struct CacheLayer {
    shared: Arc<Shared>,
}

/// The name of a stored answer that is served in place of a call.
const STORED: &str = "stored";

// === impl CachePolicy ===

impl CachePolicy {
    /// Builds the layer, if every value is valid.
    ///
    /// # Errors
    ///
    /// Names the field that is wrong: a time or a size of zero.
    pub fn build(self) -> Result<CacheLayer, ConfigError> {
        self.check()?;
        Ok(CacheLayer::new(self))
    }
}

// === impl CacheLayer ===

impl CacheLayer {
    pub(super) fn new(policy: CachePolicy) -> Self {
        Self { shared: Arc::new(Shared::new(policy, EventSink::default())) }
    }

    /// Sends the events of the layer to that sink. The last sink set is used; without one they go to `tracing` alone.
    #[must_use]
    pub fn events(self, events: EventSink) -> Self {
        let dialects = self.shared.dialects;
        let shared = Shared::new(self.shared.policy.clone(), events);
        Self { shared: Arc::new(Shared { dialects, ..shared }) }
    }

    /// Parses calls in the dialects that the targets below declare: those of
    /// [`FallbackPolicy::dialects`](crate::fallback::FallbackPolicy::dialects). By default the dialect follows from the path of a
    /// request.
    #[must_use]
    pub fn dialects(self, dialects: SpokenDialects) -> Self {
        let shared = Shared::new(self.shared.policy.clone(), self.shared.events.clone());
        Self { shared: Arc::new(Shared { dialects, ..shared }) }
    }
}

impl CacheLayer {
    /// Keeps the stored answers of another layer in place of its own, if the policies of both have a store that they created
    /// themselves: see [`CachePolicy::new`]. A store that was named is used as it is.
    #[must_use]
    pub fn state_of(self, other: &Self) -> Self {
        let (own, before) = (&self.shared.policy, &other.shared.policy);
        if !(own.own_store && before.own_store) {
            return self;
        }
        let policy = CachePolicy { store: before.store.clone(), ..own.clone() };
        let shared = Shared::new(policy, self.shared.events.clone());
        Self { shared: Arc::new(Shared { dialects: self.shared.dialects, ..shared }) }
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = Cache<S>;

    fn layer(&self, inner: S) -> Cache<S> {
        Cache { inner, shared: self.shared.clone() }
    }
}

impl fmt::Debug for CacheLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CacheLayer").field(&self.shared.policy).finish()
    }
}

// === impl Cache ===

impl<S: Upstream> Service<Request> for Cache<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let Some(slot) = CacheSlot::of(&self.shared, &mut request) else {
            return Box::pin(inner.call(request));
        };
        let shared = self.shared.clone();
        Box::pin(async move {
            if slot.takes {
                if let Some(fresh) = fresh(&shared, &slot, &mut request).await {
                    return Ok(fresh);
                }
                let stored = StoredAnswer::new(Arc::new(slot.clone()));
                request.extensions_mut().insert(stored);
            }
            match shared.policy.coalesce {
                true => together(&shared, slot, inner, request).await,
                false => alone(slot, inner, request).await,
            }
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for Cache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("inner", &self.inner)
            .field("policy", &self.shared.policy)
            .finish()
    }
}

/// A stored answer in place of the call.
async fn fresh(shared: &Shared, slot: &CacheSlot, request: &mut Request) -> Option<Response> {
    let most = shared.policy.serve_fresh_for?;
    let call = CallContext::of(request);
    let left = call.deadline.map(|deadline| deadline.left(Instant::now()));
    let mut response = slot.find(most, left).await?;
    call.attempt_log.answered_by(STORED.into(), None);
    response.extensions_mut().insert(AnswerSource::Cached);
    response.headers_mut().insert(SERVED_BY, HeaderValue::from_static(STORED));
    response.headers_mut().insert(ATTEMPTS, HeaderValue::from(0));
    Some(response)
}

async fn alone<S: Upstream>(
    slot: CacheSlot,
    mut inner: S,
    request: Request,
) -> Result<Response, Error> {
    let mut response = inner.call(request).await?;
    slot.record(&mut response);
    Ok(response)
}

/// Shares the call with all equal ones in flight; the first of them is sent.
async fn together<S: Upstream>(
    shared: &Shared,
    slot: CacheSlot,
    inner: S,
    mut request: Request,
) -> Result<Response, Error> {
    let Some(wish) = CallSettings::of(&mut request) else {
        return alone(slot, inner, request).await;
    };
    let attempt_log = CallContext::of(&mut request).attempt_log.clone();
    let runtime = Handle::try_current().ok().map(|runtime| runtime.id());
    let id = CoalesceKey { key: slot.key, shape: Shape::of(&slot.info), wish, runtime };
    let info = slot.info.clone();
    let terms = WaitTerms::of(&mut request);
    let mut own = Some((slot, inner, request));
    let mut send = || match own.take() {
        Some((slot, inner, request)) => Box::pin(alone(slot, inner, request)) as ResponseFuture,
        // Not reached: it is called at most once.
        None => Box::pin(async { Err(Error::new(Outcome::NotSent { retry_in: None })) }),
    };
    match shared.flights.join(id, terms, &attempt_log, &mut send) {
        JoinResult::First(waiter) => waiter.into_response(&info, &attempt_log).await,
        JoinResult::Later(waiter) => {
            shared.events.emit(EventKind::Coalesced);
            match terms.in_time(waiter.into_response(&info, &attempt_log)).await {
                Some(result) => result,
                None => late(own).await,
            }
        }
        JoinResult::Full => send().await,
    }
}

/// The shared attempt takes longer than this call has time: the call gets the local answer of its own fallbacks.
async fn late<S: Upstream>(own: Option<(CacheSlot, S, Request)>) -> Result<Response, Error> {
    let Some((_, mut inner, mut request)) = own else {
        return Err(Error::new(Outcome::TimedOut { phase: Phase::Deadline }));
    };
    request.extensions_mut().insert(LocalAnswersOnly);
    inner.call(request).await
}
