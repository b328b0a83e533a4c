//! What belongs to one attempt.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Admission, CallContext, ProbeSignal, QueueTime};
use crate::{
    Request,
    dialect::RequestInfo,
    identity::Fingerprint,
    route::{Route, provider},
    route_state::{RouteHandle, Routes},
};

/// What belongs to one attempt, in the extensions of its request. A layer that makes several attempts gives each a request of
/// its own, so that no attempt sees what another was given.
///
/// | what | written by | read by |
/// |---|---|---|
/// | `route` | a target, else the first layer that asks for it | every layer |
/// | the state of the route | the first layer that needs it | every layer that keeps some |
/// | `variant` | the fallback | the picking of a target |
/// | `fallback`, `name` | the fallback | telemetry, hedge, retry |
/// | `elsewhere`, `insists` | the fallback | breaker |
/// | `last_target` | the fallback; retry, where an equal target is left | fallback, timeout |
/// | `probe_signal` | the fallback, the hedge | breaker, which raises it; hedge, fallback |
/// | `second_copy` | the hedge | retry |
/// | `queue_time` | the hedge | limit |
/// | `deferred`, `extra` | retry | breaker |
/// | `probe` | breaker | limit |
/// | `admission` | breaker | limit, timeout, the transport |
#[derive(Clone, Debug, Default)]
pub(crate) struct AttemptContext {
    route: Option<AttemptRoute>,
    /// What an edit changes of the route of whichever target is picked.
    pub(crate) variant: Option<Arc<str>>,
    /// Which fallback makes the attempt, from 0.
    pub(crate) fallback_index: u16,
    /// The name of that fallback, where a fallback layer is.
    pub(crate) fallback_name: Option<Arc<str>>,
    /// Another target can be asked where this one refuses: one stands below it that takes the call. Replies that are made
    /// or stored here do not count.
    pub(crate) elsewhere: bool,
    /// All targets were passed over or have failed: one whose route is under suspicion only is asked.
    pub(crate) insists: bool,
    /// No target is asked after this one, whatever its outcome: it has all the time that is left.
    pub(crate) last_target: bool,
    /// Where the breaker shows the layers above it that an attempt at this target is its probe.
    pub(crate) probe_signal: Option<ProbeSignal>,
    /// The attempt is made for a second copy of the call, sent beside the first.
    pub(crate) second_copy: bool,
    /// Where a queue counts how long the call waits in it, for the hedge above.
    pub(crate) queue_time: Option<QueueTime>,
    /// A retry may follow the attempt: whether the call has failed is known when the call has ended.
    pub(crate) deferred: bool,
    /// The attempt is a retry, or made for a second copy of the call.
    pub(crate) extra: bool,
    /// The attempt is a breaker's probe.
    pub(crate) probe: bool,
    /// Where a queue and the transport report to the breaker above them.
    pub(crate) admission: Option<Admission>,
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
    /// The context of a request's attempt; a new one for a request that has none yet.
    pub(crate) fn of(request: &mut Request) -> &mut Self {
        if request.extensions().get::<Self>().is_none() {
            request.extensions_mut().insert(Self::default());
        }
        request.extensions_mut().get_mut().expect("it is there, or was put there just now")
    }

    /// The context of a request's attempt, where it has one.
    pub(crate) fn get(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// The route of the request: its target's, or one made from what it says.
    pub(crate) fn route(request: &mut Request) -> Route {
        if let Some(route) = Self::get(request).and_then(Self::known_route) {
            return route.clone();
        }
        let info = CallContext::info(request);
        let route = addressed(request, &info);
        Self::of(request).set_route(route.clone());
        route
    }

    /// The route, where it is known.
    pub(crate) fn known_route(&self) -> Option<&Route> {
        self.route.as_ref().map(AttemptRoute::route)
    }

    /// Sends the attempt to another route. What was found for the one before is dropped.
    pub(crate) fn set_route(&mut self, route: Route) {
        self.route = Some(AttemptRoute::Named(route));
    }

    /// The state of the request's route in that registry: what a layer above has found there, or a look-up, whose result is
    /// left for the layers below.
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

/// The route of a request that no target was chosen for: its host, the model in its body, and a fingerprint of its
/// credential.
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
