//! The client: the whole stack over one transport.

#[cfg(feature = "chaos")]
mod chaos;
#[cfg(feature = "reqwest-middleware")]
mod handles;
mod questions;
mod rehearse;
mod state_of;

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use tower::Service;

use crate::{
    CallOptions, ConfigError, Error, Request, Response, ResponseFuture, Upstream,
    breaker::Breakers,
    cache::CachePolicy,
    call_options::{OptionSources, Scope},
    chaos::ChaosSlot,
    context::Route,
    fallback::{Fallback, FallbackList, FallbackPolicy, Target},
    identity::IdentityPolicy,
    into_call::sealed::UploadBuffer,
    limit::Limits,
    profile::Profile,
    rehearsal::Rehearser,
    stack,
    stack::{AvailabilityView, StatefulLayers},
    stream::MidStreamFailure,
    telemetry::{EventSink, Observer},
};

/// Sends calls to an AI API that end in a usable answer or a clear error before their deadline.
///
/// A handle: clones share breakers, budgets and connections. Create one for the whole program.
///
/// It is a Tower `Service<http::Request<Bytes>>`; with the feature `reqwest` also a `Service<reqwest::Request>` with
/// `Client::execute`.
#[derive(Clone)]
pub struct Client {
    stack: Arc<dyn ErasedStack>,
    handles: AvailabilityView,
    buffer_uploads: usize,
    rehearser: Rehearser,
    layers: Arc<StatefulLayers>,
    /// Read with the feature `chaos` alone.
    #[cfg_attr(not(feature = "chaos"), allow(dead_code))]
    chaos: ChaosSlot,
}

/// Builds a [`Client`].
///
/// # Defaults
///
/// * [`Profile::interactive`]
/// * calls go where they are addressed, without fallbacks
/// * no answer is stored
/// * callers are identified by the usual headers: see [`IdentityPolicy`]
/// * events go to `tracing`
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    pub(crate) profile: Profile,
    pub(crate) fallbacks: FallbackPolicy,
    cache: Option<CachePolicy>,
    identity: Option<IdentityPolicy>,
    events: EventSink,
    /// The layers of the client whose state is kept.
    pub(crate) before: Option<Arc<StatefulLayers>>,
    chaos: ChaosSlot,
    /// The most that is read ahead of a streamed body, in bytes.
    pub(crate) buffer_uploads: usize,
}

/// The stack behind a pointer: its type has the types of all layers in it.
trait ErasedStack: Send + Sync {
    fn send(&self, request: Request, options: OptionSources, first: FallbackList)
    -> ResponseFuture;
}

// === impl Client ===

impl Client {
    /// Creates a builder.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Sends a request through the whole stack.
    ///
    /// A final failure is returned as the provider sent it, `Ok` with its status and body, or as an [`Error`] if there was no
    /// answer. The response's extensions hold the [`AttemptLog`](crate::context::AttemptLog) of the call and the
    /// [`Verdict`](crate::outcome::Verdict) on the answer. Settings for this call alone are in the extensions of the request, or in
    /// a [scope](CallOptions::scope): see [`call_options`](crate::call_options).
    pub fn send(&self, request: Request) -> ResponseFuture {
        let explicit = CallOptions::default();
        self.send_with(request, OptionSources { explicit, scope: Scope::current() })
    }

    pub(crate) fn send_with(&self, request: Request, options: OptionSources) -> ResponseFuture {
        self.stack.send(request, options, self.handles.fallbacks.clone())
    }

    /// The most that is read ahead of a streamed request body, in bytes, and the usual time of a call.
    pub(crate) fn upload_buffer(&self) -> UploadBuffer {
        UploadBuffer { max_bytes: self.buffer_uploads, usual_time: self.handles.deadline }
    }

    /// The breakers of all routes: list, watch, force, reset.
    pub fn breakers(&self) -> &Breakers {
        &self.handles.breakers
    }

    /// The limits of all routes: the numbers of calls that wait, are under way, and are still allowed.
    pub fn limits(&self) -> &Limits {
        &self.handles.limits
    }

    /// Resets the state of a route: closes its breaker, ends a wait that its provider requested, resets its limits and fills its
    /// budget of retries. Use it when the cause of an outage is known to be fixed: a bill is paid, a key is replaced, a limit is
    /// raised. Attempts under way continue, and no longer change the route's breaker.
    pub fn reset(&self, route: &Route) {
        self.handles.reset(route);
    }
}

impl Service<Request> for Client {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // Readiness is awaited within the call, under its deadline.
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
    /// Sets the profile: deadline, timeouts, retries, breaker and limits.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Sends every call to that target first, whatever its address.
    pub fn primary(mut self, target: Target) -> Self {
        self.fallbacks = self.fallbacks.primary(target);
        self
    }

    /// Spreads every call over several equal targets first, whatever its address: keys, regions, deployments. See
    /// [`Fallback::targets`].
    pub fn primaries(mut self, targets: impl IntoIterator<Item = Target>) -> Self {
        self.fallbacks = self.fallbacks.primaries(targets);
        self
    }

    /// Adds a fallback at the end: tried when everything above it has failed.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallbacks = self.fallbacks.fallback(fallback);
        self
    }

    /// What happens to a stream that fails while it is read: it ends in an error, or a fallback below that declares support
    /// continues it. See [`FallbackPolicy::mid_stream_failure`].
    pub fn mid_stream_failure(mut self, resume: MidStreamFailure) -> Self {
        self.fallbacks = self.fallbacks.mid_stream_failure(resume);
        self
    }

    /// Sets all fallbacks at once, with their [`mid_stream_failure`](FallbackPolicy::mid_stream_failure).
    pub fn fallback_policy(mut self, fallbacks: FallbackPolicy) -> Self {
        self.fallbacks = fallbacks;
        self
    }

    /// Stores answers: for [`Fallback::stored`] in an outage, and for other uses that the policy enables.
    pub fn cache(mut self, cache: CachePolicy) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets the headers and query keys that identify callers, for routes, cache and coalescing alike, and those that are
    /// forwarded to another origin.
    pub fn identity(mut self, identity: IdentityPolicy) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Adds a listener for every event of every call. Several listeners are called in the order in which they were added.
    pub fn observe(mut self, listener: impl Observer) -> Self {
        self.events = self.events.and(listener);
        self
    }

    #[cfg(feature = "serde")]
    pub(crate) fn chaos_slot(mut self, chaos: ChaosSlot) -> Self {
        self.chaos = chaos;
        self
    }

    /// Builds a client over any transport.
    ///
    /// # Errors
    ///
    /// If a value is invalid, alone or in combination: names the field, the value and what is allowed.
    pub fn build_with(self, upstream: impl Upstream) -> Result<Client, ConfigError> {
        let buffer_uploads = self.buffer_uploads;
        let identity = self.identity.map(IdentityPolicy::build).transpose()?;
        let (cache, fallbacks, before) = (self.cache, self.fallbacks, self.before);
        let (chaos, slot) = (self.chaos.clone(), self.chaos);
        let parts = stack::Parts { cache, fallbacks, identity, before, chaos: slot };
        let rehearser = Rehearser::new(upstream.clone(), &self.profile, &parts.fallbacks);
        let events = self.events.clone();
        let built = stack::build(upstream, self.profile, parts, self.events)?;
        let stack::Built { stack, handles, layers } = built;
        events.configured(&handles.fallbacks.configured());
        Ok(Client {
            stack: Arc::new(stack),
            handles,
            rehearser,
            buffer_uploads,
            layers: layers.into(),
            chaos,
        })
    }
}

// === impl ErasedStack ===

impl<S: Upstream> ErasedStack for S {
    fn send(
        &self,
        mut request: Request,
        options: OptionSources,
        first: FallbackList,
    ) -> ResponseFuture {
        let mut stack = self.clone();
        Box::pin(async move {
            options.settle(&mut request, &first)?;
            poll_fn(|cx| stack.poll_ready(cx)).await?;
            stack.call(request).await
        })
    }
}
