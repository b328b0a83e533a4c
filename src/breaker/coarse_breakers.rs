//! The coarse breakers of a layer: one for the routes of different credentials.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::time::Instant;

use crate::{
    breaker::{
        BreakerPolicy, CircuitBreaker,
        changes::{ChangeHub, ChangeNotifier},
        circuit::BreakerLinks,
        coarse_breaker::CoarseBreaker,
        coarse_breaker_link::CoarseBreakerLink,
    },
    context::Route,
    route_state::Replaceable,
    sync::lock_std as lock,
};

/// One coarse breaker for each model of a provider and each operation.
pub(super) struct CoarseBreakers {
    coarse_breakers: Mutex<HashMap<Route, Arc<CoarseBreaker>>>,
    policy: Replaceable<BreakerPolicy>,
    hub: Arc<ChangeHub>,
}

// === impl CoarseBreakers ===

impl CoarseBreakers {
    /// The most models with a coarse breaker each; past it, one coarse breaker per provider.
    const MODELS: usize = 1024;
    /// The most coarse breakers in total.
    const MOST: usize = 2 * Self::MODELS;

    pub(super) fn new(policy: &BreakerPolicy, hub: Arc<ChangeHub>) -> Self {
        Self {
            coarse_breakers: Mutex::default(),
            policy: Replaceable::new(CoarseBreaker::policy(policy)),
            hub,
        }
    }

    /// Replaces the policy, by that of the routes.
    pub(super) fn adopt(&self, policy: &BreakerPolicy) {
        self.policy.replace(CoarseBreaker::policy(policy));
    }

    /// Links a route that has a state of its own to its coarse breaker.
    pub(super) fn member(&self, route: &Route, now: Instant) -> Option<CoarseBreakerLink> {
        self.over(route, now).map(CoarseBreakerLink::new)
    }

    /// Links an overflow route, which has no state of its own, to its coarse breaker.
    pub(super) fn overflow(&self, route: &Route, now: Instant) -> Option<CoarseBreakerLink> {
        self.over(route, now).map(|coarse| CoarseBreakerLink::overflow(coarse, route))
    }

    /// The coarse breaker over a route, if it exists.
    pub(super) fn find(&self, route: &Route) -> Option<Arc<CoarseBreaker>> {
        let model = route.coarser();
        let coarse_breakers = lock(&self.coarse_breakers);
        coarse_breakers.get(&model).or_else(|| coarse_breakers.get(&model.coarser())).cloned()
    }

    /// The coarse breaker that `route` names, such as one listed by [`open`](Self::open).
    pub(super) fn named(&self, route: &Route) -> Option<Arc<CoarseBreaker>> {
        lock(&self.coarse_breakers).get(route).cloned()
    }

    /// The coarse breakers that refuse calls, by route.
    pub(super) fn open(&self, now: Instant) -> Vec<(Route, CircuitBreaker)> {
        let coarse_breakers = lock(&self.coarse_breakers);
        let open = coarse_breakers.iter().filter(|(_, coarse)| coarse.is_open(now));
        open.map(|(route, coarse)| (route.clone(), coarse.breaker().clone())).collect()
    }

    /// The coarse breaker of the model, or of the provider if there are too many models.
    fn over(&self, route: &Route, now: Instant) -> Option<Arc<CoarseBreaker>> {
        let mut coarse_breakers = lock(&self.coarse_breakers);
        let mut over = route.coarser();
        if coarse_breakers.len() >= Self::MODELS && !coarse_breakers.contains_key(&over) {
            coarse_breakers
                .retain(|_, coarse| Arc::strong_count(coarse) > 1 || !coarse.is_at_rest());
            if coarse_breakers.len() >= Self::MODELS {
                over = over.coarser();
            }
        }
        if coarse_breakers.len() >= Self::MOST && !coarse_breakers.contains_key(&over) {
            return None;
        }
        let coarse = coarse_breakers.entry(over.clone()).or_insert_with(|| {
            let told = ChangeNotifier::new(over, self.hub.clone());
            let links = BreakerLinks { told: Some(told), ..BreakerLinks::default() };
            Arc::new(CoarseBreaker::new(CircuitBreaker::with(&self.policy, now, links), now))
        });
        Some(coarse.clone())
    }
}
