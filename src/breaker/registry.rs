//! The breakers of all routes, and the handle to them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};

use tokio::time::Instant;

use crate::{
    Availability,
    breaker::{
        BreakerPolicy, BreakerSnapshot, Changes, CircuitBreaker,
        changes::{ChangeHub, ChangeNotifier, KEPT},
        circuit::BreakerLinks,
        coarse_breakers::CoarseBreakers,
        provider_routes::Providers,
    },
    context::{Route, Routes},
    route_state::{Replaceable, RouteHandle, Slot},
    sync::lock_std,
    telemetry::{EventKind, EventSink},
};

/// The breakers of a layer, one for each route: to list, watch, force and reset.
///
/// Clones share the same breakers.
#[derive(Clone)]
pub struct Breakers(Arc<Inner>);

struct Inner {
    policy: Replaceable<BreakerPolicy>,
    /// The policy for routes without a credential, or with many: the wrong key of one caller must not close them to others.
    nameless: Replaceable<BreakerPolicy>,
    slot: Slot<CircuitBreaker>,
    /// Breakers that were forced: they are not evicted when idle.
    forced: Mutex<HashMap<Route, CircuitBreaker>>,
    hub: Arc<ChangeHub>,
    coarse_breakers: CoarseBreakers,
    providers: Providers,
}

// === impl Breakers ===

impl Breakers {
    /// The number of changes kept for a slow watcher; the oldest are dropped.
    pub const MAX_UNREAD_CHANGES: usize = KEPT;

    /// The most routes that can be forced at a time.
    pub const MAX_FORCED: usize = 1024;

    pub(crate) fn new(policy: BreakerPolicy) -> Self {
        Self::over(policy, &Routes::new(), ChangeHub::new().into())
    }

    /// Creates breakers with the same policy and listener that are kept in that registry.
    pub(super) fn kept_in(&self, routes: &Routes) -> Self {
        Self::over(self.policy(), routes, self.0.hub.clone())
    }

    fn over(policy: BreakerPolicy, routes: &Routes, hub: Arc<ChangeHub>) -> Self {
        let nameless = nameless(&policy);
        Self(Arc::new(Inner {
            coarse_breakers: CoarseBreakers::new(&policy, hub.clone()),
            providers: Providers::default(),
            policy: Replaceable::new(policy),
            nameless: Replaceable::new(nameless),
            slot: Slot::new(routes),
            forced: Mutex::default(),
            hub,
        }))
    }

    pub(super) fn policy(&self) -> BreakerPolicy {
        BreakerPolicy::clone(&self.0.policy.get())
    }

    /// Replaces the policy. Breakers that exist go on under the new one.
    pub(super) fn adopt(&self, policy: BreakerPolicy) {
        self.0.coarse_breakers.adopt(&policy);
        self.0.nameless.replace(nameless(&policy));
        self.0.policy.replace(policy);
    }

    /// The breaker of a route, created if there is none. Where the table is full of routes that are not at rest, the breaker is
    /// created for this caller alone; such a route shares only the coarse breaker of all credentials of its model.
    pub fn of(&self, route: &Route) -> CircuitBreaker {
        let now = Instant::now();
        self.own(route, now).unwrap_or_else(|| self.beyond(route, now))
    }

    /// The registry that keeps the breakers.
    pub(crate) fn routes(&self) -> &Routes {
        self.0.slot.routes()
    }

    /// The breaker of a route that is already looked up.
    pub(super) fn at(&self, at: &RouteHandle, now: Instant) -> CircuitBreaker {
        let own = self.0.slot.own_of(at, now, |made| self.keep(made, now));
        own.map_or_else(|| self.beyond(at.route(), now), |own| CircuitBreaker::clone(&own))
    }

    /// The snapshots of the breakers of all routes, in no order. A route that was not used for two hours is forgotten, unless it
    /// is open; at most 4 096 are kept, besides those that are forced. The credential `*` stands for all credentials of a model
    /// without an answer since it opened, the model `*` for all models of the provider.
    pub fn list(&self) -> Vec<(Route, BreakerSnapshot)> {
        let now = Instant::now();
        let mut all: HashMap<_, _> = lock_std(&self.0.forced).clone();
        let kept = self.0.slot.list();
        all.extend(
            kept.into_iter().map(|(route, breaker)| (route, CircuitBreaker::clone(&breaker))),
        );
        all.extend(self.0.coarse_breakers.open(now));
        all.into_iter().map(|(route, breaker)| (route, breaker.snapshot(now))).collect()
    }

    /// The availability of a route. Does not create a breaker.
    pub(crate) fn availability(&self, route: &Route, now: Instant) -> Availability {
        let kept = self.0.slot.get_own(route).map(|breaker| CircuitBreaker::clone(&breaker));
        match kept.or_else(|| self.forced(route)) {
            Some(breaker) => breaker.availability(now),
            None => self
                .0
                .coarse_breakers
                .find(route)
                .map_or(Availability::Clear, |coarse| coarse.availability(now)),
        }
    }

    /// A stream of the changes of all breakers from now on.
    pub fn watch(&self) -> Changes {
        self.0.hub.watch()
    }

    /// Refuses all calls of a route until [`reset`](Self::reset). Returns whether the route is forced: at most
    /// [`MAX_FORCED`](Self::MAX_FORCED) routes are forced at a time, and none whose credential is `*`.
    pub fn force_open(&self, route: &Route) -> bool {
        self.force(route).map(|breaker| breaker.force_open()).is_some()
    }

    /// Lets all calls of a route through and counts none until [`reset`](Self::reset). Returns whether the route is forced, as
    /// [`force_open`](Self::force_open) does.
    pub fn force_closed(&self, route: &Route) -> bool {
        self.force(route).map(|breaker| breaker.force_closed()).is_some()
    }

    /// Closes the breaker of a route and clears its counts, including how often it opened. A coarse breaker that is open for all
    /// credentials does not refuse the route either. Where the credential of `route` is `*`, the coarse breaker is closed.
    pub fn reset(&self, route: &Route) {
        if route.is_shared() {
            return self.0.coarse_breakers.named(route).iter().for_each(|coarse| coarse.reset());
        }
        let forced = lock_std(&self.0.forced).remove(route);
        if let Some(breaker) = forced.or_else(|| self.own(route, Instant::now())) {
            breaker.reset();
        }
    }

    /// Sets the sink for events from now on.
    pub(super) fn send_to(&self, events: EventSink) {
        self.0.hub.send_to(events);
    }

    pub(crate) fn emit(&self, event: EventKind) {
        self.0.hub.emit(event);
    }

    /// The breaker to force, kept until it is reset; `None` where too many are forced.
    fn force(&self, route: &Route) -> Option<CircuitBreaker> {
        let now = Instant::now();
        if route.is_shared() {
            return None;
        }
        let found = self.own(route, now).unwrap_or_else(|| self.make(route, now));
        let mut forced = lock_std(&self.0.forced);
        let room = forced.len() < Self::MAX_FORCED || forced.contains_key(route);
        room.then(|| forced.entry(route.clone()).or_insert(found).clone())
    }

    fn forced(&self, route: &Route) -> Option<CircuitBreaker> {
        lock_std(&self.0.forced).get(route).cloned()
    }

    /// The breaker that is kept for a route, created if there is room.
    fn own(&self, route: &Route, now: Instant) -> Option<CircuitBreaker> {
        let own = self.0.slot.find_own(route, now, |made| self.keep(made, now))?;
        Some(CircuitBreaker::clone(&own))
    }

    /// The breaker to keep for a route that has none.
    fn keep(&self, route: &Route, now: Instant) -> CircuitBreaker {
        self.forced(route).unwrap_or_else(|| self.make(route, now))
    }

    /// The breaker of a route without room in the table.
    fn beyond(&self, route: &Route, now: Instant) -> CircuitBreaker {
        self.forced(route).unwrap_or_else(|| self.overflow(route, now))
    }

    fn make(&self, route: &Route, now: Instant) -> CircuitBreaker {
        let told = ChangeNotifier::new(route.clone(), self.0.hub.clone());
        let above = self.0.coarse_breakers.member(route, now).map(|member| Box::new(member) as _);
        let sibling = self.0.providers.sibling(route);
        CircuitBreaker::with(
            self.policy_of(route),
            now,
            BreakerLinks { told: Some(told), above, sibling },
        )
    }

    /// Creates a breaker for an overflow route: it is not kept and emits no events.
    fn overflow(&self, route: &Route, now: Instant) -> CircuitBreaker {
        let above = self.0.coarse_breakers.overflow(route, now).map(|member| Box::new(member) as _);
        CircuitBreaker::with(
            self.policy_of(route),
            now,
            BreakerLinks { above, ..BreakerLinks::default() },
        )
    }

    fn policy_of(&self, route: &Route) -> &Replaceable<BreakerPolicy> {
        if route.is_of_many() { &self.0.nameless } else { &self.0.policy }
    }
}

/// The policy for routes without a credential, or with many.
fn nameless(policy: &BreakerPolicy) -> BreakerPolicy {
    policy.clone().unauthorized(None)
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Breakers").field(&self.0.slot).finish()
    }
}
