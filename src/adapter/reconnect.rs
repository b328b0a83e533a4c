//! Sends a request again at once if its kept connection was dead.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Method, Version};
use tokio::time::Instant;
use tower::{Service, ServiceExt};

use super::{
    dialed::Dialed,
    hyper::{address, address_of},
    kept::{Origin, Origins},
    recognise::is_unacknowledged,
};
use crate::{
    Error, Request, Response, Upstream,
    context::{Admission, AttemptContext, CallContext, Lost, Waiting},
    outcome::Outcome,
    upstream::ResponseFuture,
};

/// A transport that recovers from dead kept connections: the caller, the breaker and the retry budget do not notice them.
///
/// A connection that was kept from an earlier request may be dead without notice: its node was replaced, a NAT dropped it, the
/// other side had just closed it. That does not count against the provider. So a request that was sent on such a connection, and
/// got no byte of an answer, is sent again at once on a new connection, within the same attempt and its time, and the other
/// connections kept to that origin are not used any more.
///
/// Only requests that may safely repeat are sent again: safe methods, requests with an `idempotency-key`, and model requests (in
/// a known [dialect](crate::dialect)). Another `POST` fails with [`Outcome::ConnectionLost`], and the breaker does not count it.
/// A connection that breaks more than five seconds after the request was sent was not dead: the provider may have been at work,
/// and the failure is an ordinary one.
///
/// For a custom client over hyper, or a transport that reports its connections by
/// [`LocalAddress`](crate::upstream::LocalAddress). [`Reqwest`](super::Reqwest) includes it.
#[derive(Clone, Debug)]
pub struct Reconnect<S> {
    transports: Transports<S>,
    origins: Arc<Origins>,
}

#[derive(Clone, Debug)]
enum Transports<S> {
    /// Two pools, and a transport without a pool.
    Own { pools: [S; 2], unpooled: S },
    /// One transport, with unknown pooling.
    Given(S),
}

/// A request that was sent.
struct Sent {
    origins: Arc<Origins>,
    origin: Origin,
    at: Instant,
    dialed: Dialed,
}

/// An attempt, whose request may be sent more than once.
struct Attempt<S> {
    transports: Transports<S>,
    origins: Arc<Origins>,
    origin: Origin,
    admission: Option<Admission>,
    /// How often it may still be sent again.
    chances: usize,
}

/// A connection that breaks later than this after a request was sent was not dead before: the time that a new connection may
/// take.
const PROMPT: Duration = Duration::from_secs(5);

// === impl Reconnect ===

impl<S> Reconnect<S> {
    /// Wraps three transports that differ only in their connections: two keep them, the third keeps none. The connectors of the
    /// first two report the connections that they open by a [`DialedLayer`](super::DialedLayer).
    pub fn with_pools(pools: [S; 2], unpooled: S) -> Self {
        Self::with(Transports::Own { pools, unpooled })
    }

    /// Wraps one transport with any pooling. A silent kept connection cannot be distinguished from a silent provider.
    pub fn new(transport: S) -> Self {
        Self::with(Transports::Given(transport))
    }

    fn with(transports: Transports<S>) -> Self {
        Self { transports, origins: Arc::default() }
    }
}

impl<S: Upstream> Service<Request> for Reconnect<S> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    /// Always ready: readiness of the transport is awaited within the call.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let Self { transports, origins } = self.clone();
        let Some(origin) = Origin::of(request.uri()) else {
            return Box::pin(transports.first(0).oneshot(request));
        };
        let admission = AttemptContext::of(&mut request).admission.clone();
        let chances = match origins.count(&origin) {
            0 => 0,
            known if is_repeatable(&mut request) => transports.chances(known),
            _ => 0,
        };
        Box::pin(Attempt { transports, origins, origin, admission, chances }.run(request))
    }
}

// === impl Transports ===

impl<S: Clone> Transports<S> {
    fn first(&self, pool: usize) -> S {
        match self {
            Self::Own { pools, .. } => pools[pool].clone(),
            Self::Given(transport) => transport.clone(),
        }
    }

    /// The transport for the second try: on a new connection, or, with a client of the user, possibly on another kept one.
    fn fresh(&self) -> S {
        match self {
            Self::Own { unpooled, .. } => unpooled.clone(),
            Self::Given(transport) => transport.clone(),
        }
    }

    /// How often a request is sent again, given the number of known connections.
    fn chances(&self, known: usize) -> usize {
        match self {
            Self::Own { .. } => 1,
            Self::Given(_) => known,
        }
    }

    fn is_own(&self) -> bool {
        matches!(self, Self::Own { .. })
    }
}

// === impl Attempt ===

impl<S: Upstream> Attempt<S> {
    async fn run(mut self, request: Request) -> Result<Response, Error> {
        let mut next = request;
        let mut transport = self.transports.first(self.origins.pool(&self.origin));
        loop {
            let spare = (self.chances > 0).then(|| next.clone());
            let sent = Instant::now();
            let error = match self.send(transport, next, sent).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if !self.was_dead(&error, sent) {
                return Err(error);
            }
            let Some(request) = spare else {
                self.lost(false);
                return Err(error);
            };
            self.lost(true);
            self.chances -= 1;
            (next, transport) = (request, self.transports.fresh());
        }
    }

    async fn send(&self, transport: S, request: Request, at: Instant) -> Result<Response, Error> {
        let dialed = Dialed::default();
        let connection = self.admission.as_ref().map(Admission::connection);
        if let Some(connection) = connection.filter(|_| self.transports.is_own()) {
            let (origins, origin) = (self.origins.clone(), self.origin.clone());
            connection.waits(Arc::new(Sent { origins, origin, at, dialed: dialed.clone() }));
        }
        let result = dialed.within(transport.oneshot(request)).await;
        if let Some(connection) = connection {
            connection.heard();
        }
        if let Some(at) = result.as_ref().ok().and_then(|it| address(it.extensions())) {
            let shared = result.as_ref().is_ok_and(|it| it.version() == Version::HTTP_2);
            self.origins.answered(&self.origin, at, shared, Instant::now());
        }
        result
    }

    /// Whether the request was sent on a kept connection that was already dead.
    fn was_dead(&self, error: &Error, sent: Instant) -> bool {
        let now = Instant::now();
        let prompt = now.saturating_duration_since(sent) < PROMPT || is_unacknowledged(error);
        let broke = error.outcome() == Outcome::ConnectionLost;
        let kept = address_of(error).is_some_and(|at| self.origins.broke(&self.origin, at));
        let dead = broke && kept && prompt;
        if dead {
            self.origins.died(&self.origin, now);
        }
        dead
    }

    fn lost(&self, sent_again: bool) {
        if let Some(admission) = &self.admission {
            admission.connection().lost(Lost { sent_again });
        }
    }
}

/// Whether a request may be sent a second time although the first may have been processed.
fn is_repeatable(request: &mut Request) -> bool {
    if CallContext::of(request).non_replayable {
        return false;
    }
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE];
    safe.contains(request.method())
        || request.headers().contains_key("idempotency-key")
        || CallContext::info(request).dialect().is_some()
}

// === impl Sent ===

impl Waiting for Sent {
    fn is_connection_at_fault(&self, now: Instant) -> bool {
        !self.dialed.is_so() && self.origins.is_at_fault(&self.origin, self.at, now)
    }
}
