//! The herds of a layer: the one coarse state that stands over the routes of different credentials.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::time::Instant;

use crate::{
    breaker::{
        BreakerPolicy, CircuitBreaker,
        changes::{Hub, Told},
        circuit::Links,
        herd::Herd,
        member::Member,
    },
    context::Route,
    sync::lock_std as lock,
};

/// One herd for each model of a provider and each operation.
pub(super) struct Herds {
    herds: Mutex<HashMap<Route, Arc<Herd>>>,
    policy: Arc<BreakerPolicy>,
    hub: Arc<Hub>,
}

// === impl Herds ===

impl Herds {
    /// Over how many models the routes of different credentials are seen together; past it, by the provider alone.
    const MODELS: usize = 1024;
    /// All herds.
    const MOST: usize = 2 * Self::MODELS;

    pub(super) fn new(policy: &BreakerPolicy, hub: Arc<Hub>) -> Self {
        Self { herds: Mutex::default(), policy: Herd::policy(policy).into(), hub }
    }

    /// What makes a route with a state of its own one of a herd.
    pub(super) fn member(&self, route: &Route, now: Instant) -> Option<Member> {
        self.over(route, now).map(Member::new)
    }

    /// The same for an overflow route: the herd is all that is known of it.
    pub(super) fn overflow(&self, route: &Route, now: Instant) -> Option<Member> {
        self.over(route, now).map(|herd| Member::overflow(herd, route))
    }

    /// The herd over a route, if it was made.
    pub(super) fn find(&self, route: &Route) -> Option<Arc<Herd>> {
        let model = route.coarser();
        let herds = lock(&self.herds);
        herds.get(&model).or_else(|| herds.get(&model.coarser())).cloned()
    }

    /// The herd that a route stands for itself, such as one that [`open`](Self::open) has named.
    pub(super) fn named(&self, route: &Route) -> Option<Arc<Herd>> {
        lock(&self.herds).get(route).cloned()
    }

    /// The herds that refuse calls.
    pub(super) fn open(&self, now: Instant) -> Vec<(Route, CircuitBreaker)> {
        let herds = lock(&self.herds);
        let open = herds.iter().filter(|(_, herd)| herd.is_open(now));
        open.map(|(route, herd)| (route.clone(), herd.breaker().clone())).collect()
    }

    /// By the model as long as there are not too many, else by the provider.
    fn over(&self, route: &Route, now: Instant) -> Option<Arc<Herd>> {
        let mut herds = lock(&self.herds);
        let mut over = route.coarser();
        if herds.len() >= Self::MODELS && !herds.contains_key(&over) {
            herds.retain(|_, herd| Arc::strong_count(herd) > 1 || !herd.is_at_rest());
            if herds.len() >= Self::MODELS {
                over = over.coarser();
            }
        }
        if herds.len() >= Self::MOST && !herds.contains_key(&over) {
            return None;
        }
        let herd = herds.entry(over.clone()).or_insert_with(|| {
            let told = Told::new(over, self.hub.clone());
            let links = Links { told: Some(told), ..Links::default() };
            Arc::new(Herd::new(CircuitBreaker::with(self.policy.clone(), now, links), now))
        });
        Some(herd.clone())
    }
}
