//! What a user holds: the whole stack over one transport.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use tower::Service;

use crate::{
    ConfigError, Error, Request, Response, ResponseFuture, Upstream,
    availability::Availability,
    breaker::Breakers,
    cache::CachePolicy,
    context::Route,
    fallback::{Fallback, FallbackPolicy, Target},
    identity::IdentityPolicy,
    limit::Limits,
    profile::Profile,
    stack,
    stack::AvailabilityView,
    stream::MidStreamFailure,
    telemetry::{EventSink, Observer},
};

/// Calls to an AI API that end in a usable answer or a clear error, in time.
///
/// A handle: clones share breakers, budgets and connections. Make one for the whole program.
///
/// It is a Tower `Service<http::Request<Bytes>>`; with the feature `reqwest` also a `Service<reqwest::Request>` with
/// `Client::execute`.
#[derive(Clone)]
pub struct Client {
    stack: Arc<dyn ErasedStack>,
    handles: AvailabilityView,
}

/// Puts a [`Client`] together.
///
/// # Defaults
///
/// * [`Profile::interactive`]
/// * calls go where they are addressed, and no fallback stands below
/// * no answer is stored
/// * callers are known by the usual headers: see [`IdentityPolicy`]
/// * events go to `tracing`
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    pub(crate) profile: Profile,
    fallbacks: FallbackPolicy,
    cache: Option<CachePolicy>,
    identity: Option<IdentityPolicy>,
    events: EventSink,
}

/// The stack behind a pointer: its type is as long as it has layers.
trait ErasedStack: Send + Sync {
    fn send(&self, request: Request) -> ResponseFuture;
}

// === impl Client ===

impl Client {
    /// Puts a client together.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Sends a request through the whole stack.
    ///
    /// A final failure comes back as the provider sent it, `Ok` with its status and body, or as an [`Error`] where there
    /// was no answer. The response's extensions hold the [`AttemptLog`](crate::context::AttemptLog) of the call and the
    /// [`Verdict`](crate::outcome::Verdict) on the answer.
    pub fn send(&self, request: Request) -> ResponseFuture {
        self.stack.send(request)
    }

    /// The breakers of all routes: list, watch, force, reset.
    pub fn breakers(&self) -> &Breakers {
        &self.handles.breakers
    }

    /// The limits of all routes: how many calls wait, are under way, and may follow.
    pub fn limits(&self) -> &Limits {
        &self.handles.limits
    }

    /// Forgets what is kept of a route: closes its breaker, ends a wait that its provider asked for, lets its limits begin
    /// anew and fills its budget of retries. Use it when the cause of an outage is known to be gone: a bill is paid, a key is
    /// put right, a limit is raised. Attempts that are under way go on, and no longer change the route's breaker.
    pub fn reset(&self, route: &Route) {
        self.handles.reset(route);
    }

    /// What a call of that route may expect before it is made. It changes nothing.
    ///
    /// A route is one of [`routes_of`](Self::routes_of) a request, or of those that [`breakers`](Self::breakers) lists.
    pub fn availability(&self, route: &Route) -> Availability {
        self.handles.at(route)
    }

    /// What that request may expect if it were sent now, over the whole ladder and within its [`Deadline`] or the
    /// profile's: the availability of the first target; where that is out and a fallback below would ask somebody else,
    /// [`Degraded`](Availability::Degraded). Replies that are made or stored here do not count.
    ///
    /// [`Deadline`]: crate::context::Deadline
    pub fn availability_of(&self, request: &Request) -> Availability {
        self.handles.ahead(request)
    }

    /// The routes that a request may take, fallback after fallback; of a fallback with equal targets, one for each.
    pub fn routes_of(&self, request: &Request) -> Vec<Route> {
        let fallbacks = self.handles.routes(request);
        fallbacks.into_iter().flatten().map(|(route, _)| route).collect()
    }
}

impl Service<Request> for Client {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // Readiness is waited for within the call, under its deadline.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> ResponseFuture {
        self.send(request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("breakers", &self.handles.breakers).finish_non_exhaustive()
    }
}

// === impl ClientBuilder ===

impl ClientBuilder {
    /// The limits of a call.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Sends every call to that target first, wherever it was addressed.
    pub fn primary(mut self, target: Target) -> Self {
        self.fallbacks = self.fallbacks.primary(target);
        self
    }

    /// Spreads every call over several equal targets first, wherever it was addressed: keys, regions, deployments. See
    /// [`Fallback::targets`].
    pub fn primaries(mut self, targets: impl IntoIterator<Item = Target>) -> Self {
        self.fallbacks = self.fallbacks.primaries(targets);
        self
    }

    /// Adds a fallback below: asked when everything above it has failed.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallbacks = self.fallbacks.fallback(fallback);
        self
    }

    /// What becomes of a stream that fails while it is read: it ends in an error, or a fallback below that declares that it
    /// can goes on with it. See [`FallbackPolicy::mid_stream_failure`].
    pub fn mid_stream_failure(mut self, resume: MidStreamFailure) -> Self {
        self.fallbacks = self.fallbacks.mid_stream_failure(resume);
        self
    }

    /// The whole ladder at once, with its [`mid_stream_failure`](FallbackPolicy::mid_stream_failure).
    pub fn fallback_policy(mut self, fallbacks: FallbackPolicy) -> Self {
        self.fallbacks = fallbacks;
        self
    }

    /// Stores answers: for [`Fallback::stored`] in an outage, and for what else the policy says.
    pub fn cache(mut self, cache: CachePolicy) -> Self {
        self.cache = Some(cache);
        self
    }

    /// By which headers and keys of a query callers are known, for routes, cache and coalescing alike; and what goes along to
    /// another origin.
    pub fn identity(mut self, identity: IdentityPolicy) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Listens to every event of every call.
    pub fn observe(mut self, listener: impl Observer) -> Self {
        self.events = EventSink::new(listener);
        self
    }

    /// A client over any transport.
    ///
    /// # Errors
    ///
    /// When a value is wrong, alone or together with another: names the field, the value and what is allowed.
    pub fn build_with(self, upstream: impl Upstream) -> Result<Client, ConfigError> {
        let identity = self.identity.map(IdentityPolicy::build).transpose()?;
        let parts = stack::Parts { cache: self.cache, fallbacks: self.fallbacks, identity };
        let (stack, handles) = stack::build(upstream, self.profile, parts, self.events)?;
        Ok(Client { stack: Arc::new(stack), handles })
    }
}

// === impl ErasedStack ===

impl<S: Upstream> ErasedStack for S {
    fn send(&self, request: Request) -> ResponseFuture {
        let mut stack = self.clone();
        Box::pin(async move {
            poll_fn(|cx| stack.poll_ready(cx)).await?;
            stack.call(request).await
        })
    }
}
