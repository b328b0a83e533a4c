//! Counts the routes of a provider that are in trouble.
//!
//! Each route of a failing provider would have to detect the failure on its own. Where another route of it is open or suspicious
//! because of failures, one failure of this one is enough to be suspicious.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use crate::{context::Route, sync::lock_std};

/// The routes of all providers.
#[derive(Debug, Default)]
pub(super) struct Providers(Mutex<HashMap<Box<str>, Arc<ProviderRoutes>>>);

/// The routes of one provider.
#[derive(Debug, Default)]
pub(crate) struct ProviderRoutes {
    troubled: AtomicU32,
}

/// One route of a provider.
#[derive(Debug)]
pub(crate) struct ProviderRoute {
    siblings: Arc<ProviderRoutes>,
    troubled: AtomicBool,
}

// === impl Providers ===

impl Providers {
    /// The most providers with routes in use; the routes of further providers are not linked.
    const MOST: usize = 1024;

    /// Links a route to the other routes of its provider.
    pub(super) fn sibling(&self, route: &Route) -> Option<ProviderRoute> {
        let mut providers = lock_std(&self.0);
        if let Some(siblings) = providers.get(route.provider()) {
            return Some(ProviderRoute::new(siblings.clone()));
        }
        if providers.len() >= Self::MOST {
            providers.retain(|_, siblings| Arc::strong_count(siblings) > 1);
        }
        let room = providers.len() < Self::MOST;
        room.then(|| {
            ProviderRoute::new(providers.entry(route.provider().into()).or_default().clone())
        })
    }
}

// === impl ProviderRoute ===

impl ProviderRoute {
    pub(super) fn new(siblings: Arc<ProviderRoutes>) -> Self {
        Self { siblings, troubled: AtomicBool::new(false) }
    }

    /// Whether another route of the provider is in trouble.
    pub(super) fn is_another_troubled(&self) -> bool {
        let own = u32::from(self.is_troubled());
        self.siblings.troubled.load(Ordering::Relaxed) > own
    }

    /// Whether this route was in trouble when its last attempt ended.
    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Relaxed)
    }

    /// Sets whether this route is in trouble.
    pub(super) fn set(&self, troubled: bool) {
        if self.troubled.swap(troubled, Ordering::Relaxed) != troubled {
            match troubled {
                true => self.siblings.troubled.fetch_add(1, Ordering::Relaxed),
                false => self.siblings.troubled.fetch_sub(1, Ordering::Relaxed),
            };
        }
    }
}

/// A route that is forgotten no longer counts as in trouble.
impl Drop for ProviderRoute {
    fn drop(&mut self) {
        self.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_counts_while_it_is_in_trouble_and_not_for_itself() {
        let all = Arc::<ProviderRoutes>::default();
        let [one, two] = [(); 2].map(|()| ProviderRoute::new(all.clone()));
        (0..2).for_each(|_| one.set(true));
        assert!(two.is_another_troubled() && !one.is_another_troubled());
        two.set(true);
        assert!(one.is_another_troubled());
        one.set(false);
        assert!(!two.is_another_troubled() && one.is_another_troubled());
        drop(two);
        assert!(!one.is_another_troubled() && all.troubled.load(Ordering::Relaxed) == 0);
    }
}
