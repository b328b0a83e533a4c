//! The context of one attempt.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Admission, CallContext, ProbeSignal, QueueTime};
use crate::{
    Request,
    compatibility::Compatibility,
    dialect::RequestInfo,
    identity::Fingerprint,
    provenance::{ForeignReasoning, Maker},
    route::{ProviderName, Route, provider},
    route_state::{RouteHandle, Routes},
};

/// The context of one attempt, in the extensions of its request. A layer that makes several attempts gives each a request of its
/// own, so that no attempt sees the context of another.
///
/// | field | written by | read by |
/// |---|---|---|
/// | `route` | a target, else the first layer that reads it | every layer |
/// | the state of the route | the first layer that needs it | every layer that keeps some |
/// | `variant` | the fallback | the picking of a target |
/// | `fallback`, `name` | the fallback | telemetry, hedge, retry |
/// | `elsewhere`, `insists` | the fallback | breaker |
/// | `last_target` | the fallback; retry, if an equal target is left | fallback, timeout |
/// | `probe_signal` | the fallback, the hedge | breaker, which raises it; hedge, fallback |
/// | `second_copy` | the hedge | retry |
/// | `queue_time` | the hedge | limit, credentials |
/// | `deferred`, `extra` | retry | breaker |
/// | `probe` | breaker | limit |
/// | `home` | the fallback | reasoning |
/// | `foreign_reasoning` | a target | reasoning |
/// | `compatibility` | a target | amend |
/// | `provider_name` | a target | telemetry, retry |
/// | `admission` | breaker | limit, timeout, credentials, the transport |
/// | `ends` | timeout | credentials |
#[derive(Clone, Debug, Default)]
pub(crate) struct AttemptContext {
    route: Option<AttemptRoute>,
    /// The suffix that an edit adds to the route of the picked target.
    pub(crate) variant: Option<Arc<str>>,
    /// The index of the fallback that makes the attempt, from 0.
    pub(crate) fallback_index: u16,
    /// The name of that fallback, if there is a fallback layer.
    pub(crate) fallback_name: Option<Arc<str>>,
    /// Whether a target below takes the call if this one refuses. Stored answers and canned replies do not count.
    pub(crate) elsewhere: bool,
    /// All targets were skipped or have failed: send to this one although its route is under suspicion.
    pub(crate) insists: bool,
    /// No target is tried after this one, whatever its outcome: it has all the time that is left.
    pub(crate) last_target: bool,
    /// The signal by which the breaker shows the layers above that an attempt at this target is its probe.
    pub(crate) probe_signal: Option<ProbeSignal>,
    /// The attempt belongs to a second copy of the call, sent concurrently with the first.
    pub(crate) second_copy: bool,
    /// Where a queue counts the call's waiting time, for the hedge above.
    pub(crate) queue_time: Option<QueueTime>,
    /// A retry may follow the attempt: whether the call has failed is known only when the call has ended.
    pub(crate) deferred: bool,
    /// The attempt is a retry, or belongs to a second copy of the call.
    pub(crate) extra: bool,
    /// The attempt is a breaker's probe.
    pub(crate) probe: bool,
    /// The makers of answers at the call's own first target, if the attempt goes to another one.
    pub(crate) home: Option<Arc<[Maker]>>,
    /// What the target gets of the reasoning of others.
    pub(crate) foreign_reasoning: ForeignReasoning,
    /// What the target accepts, if that is set for it.
    pub(crate) compatibility: Option<Compatibility>,
    /// The name of the provider for spans and events, if the target has one.
    pub(crate) provider_name: Option<Arc<str>>,
    /// The handle by which a queue and the transport report to the breaker above them.
    pub(crate) admission: Option<Admission>,
    /// When the first limit of the attempt passes.
    pub(crate) ends: Option<Instant>,
}

/// The route of an attempt, with its state where that was looked up. Another route replaces both.
#[derive(Clone, Debug)]
enum AttemptRoute {
    Named(Route),
    /// Looked up: the handle of the last look-up.
    Found(RouteHandle),
}

// === impl AttemptContext ===

impl AttemptContext {
    /// The context of a request's attempt; created if there is none yet.
    pub(crate) fn of(request: &mut Request) -> &mut Self {
        if request.extensions().get::<Self>().is_none() {
            request.extensions_mut().insert(Self::default());
        }
        request.extensions_mut().get_mut().expect("it is there, or was put there just now")
    }

    /// The context of a request's attempt, if there is one.
    pub(crate) fn get(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// The route of the request: that of its target, or one made from the request.
    pub(crate) fn route(request: &mut Request) -> Route {
        if let Some(route) = Self::get(request).and_then(Self::known_route) {
            return route.clone();
        }
        let info = CallContext::info(request);
        let route = addressed(request, &info);
        Self::of(request).set_route(route.clone());
        route
    }

    /// The route that the request is addressed to, whatever target it goes to in the end.
    pub(crate) fn addressed(request: &mut Request) -> Route {
        let info = CallContext::info(request);
        addressed(request, &info)
    }

    /// The route, if it is known.
    pub(crate) fn known_route(&self) -> Option<&Route> {
        self.route.as_ref().map(AttemptRoute::route)
    }

    /// Sets another route, and drops the state of the previous one.
    pub(crate) fn set_route(&mut self, route: Route) {
        self.route = Some(AttemptRoute::Named(route));
    }

    /// The name of the provider that the request goes to.
    pub(crate) fn provider_name(request: &mut Request) -> ProviderName {
        let dialect = CallContext::info(request).dialect();
        let given = Self::get(request).and_then(|attempt| attempt.provider_name.as_ref());
        ProviderName::of(request.uri(), given, dialect)
    }

    /// The state of the request's route in that registry: as a layer above has found it, or by a lookup whose result is kept for
    /// the layers below.
    pub(crate) fn state(request: &mut Request, routes: &Routes, now: Instant) -> RouteHandle {
        if let Some(AttemptRoute::Found(found)) = &Self::of(request).route {
            if routes.has(found) {
                return found.clone();
            }
        }
        let found = routes.find(&Self::route(request), now);
        Self::of(request).route = Some(AttemptRoute::Found(found.clone()));
        found
    }
}

// === impl AttemptRoute ===

impl AttemptRoute {
    fn route(&self) -> &Route {
        match self {
            Self::Named(route) => route,
            Self::Found(found) => found.route(),
        }
    }
}

/// The route of a request without a target: its host, the model in its body, and a fingerprint of its credential.
fn addressed(request: &Request, info: &RequestInfo) -> Route {
    let model = info.model().unwrap_or("-");
    Route::asked(&provider(request.uri()), model, Fingerprint::of(request).as_str())
        .with_operation(info.effects().operation_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(route: &Route) -> Request {
        let mut request = Request::default();
        AttemptContext::of(&mut request).set_route(route.clone());
        request
    }

    #[test]
    fn what_one_layer_has_looked_up_the_next_one_takes() {
        let (routes, now) = (Routes::new(), Instant::now());
        let mut request = request(&Route::new("p", "m", "-"));
        for mut copy in [request.clone(), request.clone()] {
            AttemptContext::state(&mut copy, &routes, now);
        }
        assert_eq!(routes.look_ups(), 2, "a copy that was made before looks it up for itself");
        AttemptContext::state(&mut request, &routes, now);
        for mut copy in [request.clone(), request] {
            AttemptContext::state(&mut copy, &routes, now);
        }
        assert_eq!(routes.look_ups(), 3);
    }

    #[test]
    fn the_handle_of_another_route_is_not_used_after_the_route_was_changed() {
        let (routes, now) = (Routes::new(), Instant::now());
        let [one, other] = ["one", "other"].map(|model| Route::new("p", model, "-"));
        let mut request = request(&one);
        assert_eq!(*AttemptContext::state(&mut request, &routes, now).route(), one);
        AttemptContext::of(&mut request).set_route(other.clone());
        assert_eq!(*AttemptContext::state(&mut request, &routes, now).route(), other);
        assert_eq!(routes.look_ups(), 2);
    }

    #[test]
    fn the_handle_of_another_registry_is_not_used() {
        let (own, other, now) = (Routes::new(), Routes::new(), Instant::now());
        let mut request = request(&Route::new("p", "m", "-"));
        for routes in [&other, &own, &own] {
            assert!(routes.has(&AttemptContext::state(&mut request, routes, now)));
        }
        assert_eq!((own.look_ups(), other.look_ups()), (1, 1));
    }
}
