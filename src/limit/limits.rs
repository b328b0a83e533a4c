//! The limits of all routes.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    policy::LimitPolicy, route_limiter::RouteLimiter, snapshot::LimitSnapshot, state::DecisionInput,
};
use crate::{
    Availability,
    context::{Route, Routes},
    route_state::{Replaceable, RouteHandle, Slot},
    telemetry::{EventKind, EventSink, SharedSink},
};

/// A handle to the limits of a layer, one set for each route.
///
/// Clones are handles to the same limits.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    policy: Replaceable<LimitPolicy>,
    slot: Slot<RouteLimiter>,
    events: SharedSink,
}

// === impl Limits ===

impl Limits {
    pub(super) fn new(policy: LimitPolicy, routes: &Routes) -> Self {
        let (slot, events) = (Slot::new(routes), SharedSink::default());
        let policy = Replaceable::new(policy);
        Self(Arc::new(Inner { policy, slot, events }))
    }

    /// Creates limits with the same policy that are kept in that registry.
    pub(super) fn kept_in(&self, routes: &Routes) -> Self {
        let kept = Self::new(self.policy(), routes);
        kept.0.events.set(self.0.events.get());
        kept
    }

    pub(super) fn policy(&self) -> LimitPolicy {
        LimitPolicy::clone(&self.0.policy.get())
    }

    /// Replaces the policy. Calls that wait may be sent at once, if the new policy has room for them.
    pub(super) fn adopt(&self, policy: LimitPolicy) {
        self.0.policy.replace(policy);
        self.0.slot.list().iter().for_each(|(_, limiter)| limiter.decide(|_| ()));
    }

    /// The registry that keeps the limits.
    pub(super) fn routes(&self) -> &Routes {
        self.0.slot.routes()
    }

    /// The limits of all routes, in no order. A route that was not used for two hours is forgotten, unless calls wait or it is
    /// closed for a time.
    pub fn list(&self) -> Vec<(Route, LimitSnapshot)> {
        let now = Instant::now();
        let routes = self.0.slot.list();
        routes.into_iter().map(|(route, limiter)| (route, limiter.snapshot(now))).collect()
    }

    /// The limits of a route; `None` if it was never used.
    pub fn of(&self, route: &Route) -> Option<LimitSnapshot> {
        Some(self.get(route)?.snapshot(Instant::now()))
    }

    /// The approximate wait of an interactive call that arrives now; zero if it would be sent at once.
    pub fn retry_in(&self, route: &Route) -> Duration {
        let now = Instant::now();
        self.get(route).map_or(Duration::ZERO, |limiter| limiter.expected_wait(now))
    }

    /// Clears the state of a route: what its provider has asked for and reported, the counts, and the state of an adaptive limit.
    /// Waiting calls keep their order; attempts that are under way still count.
    pub fn reset(&self, route: &Route) {
        if let Some(limiter) = self.get(route) {
            let policy = self.0.policy.get();
            limiter.decide(|state| state.reset(policy.of(route), DecisionInput::draw()));
        }
    }

    /// The limits of a route that was looked up, which all its operations share; created if the route is new.
    pub(super) fn limiter(&self, at: &RouteHandle, now: Instant) -> Arc<RouteLimiter> {
        let policy = &self.0.policy;
        let at = self.routes().without_operation(at, now);
        self.0.slot.of(&at, now, |route| RouteLimiter::new(policy, route, now))
    }

    /// The availability for an interactive call that has `time` left.
    pub(crate) fn availability(&self, route: &Route, time: Duration, now: Instant) -> Availability {
        let limiter = self.get(route);
        limiter.map_or(Availability::Clear, |limiter| limiter.availability(time, now))
    }

    /// Sets the sink for events from now on.
    pub(super) fn send_to(&self, events: EventSink) {
        self.0.events.set(events);
    }

    pub(super) fn emit(&self, event: EventKind) {
        self.0.events.emit(event);
    }

    fn get(&self, route: &Route) -> Option<Arc<RouteLimiter>> {
        self.0.slot.get(&route.without_operation())
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limits").field(&self.0.slot).finish()
    }
}
