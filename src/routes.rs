//! State that is kept per route: made on first use, forgotten when idle, bounded in number.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{context::Route, sync::lock_std as lock};

/// One `T` per route.
pub(crate) struct PerRoute<T> {
    slots: Mutex<HashMap<Route, Slot<T>>>,
    most: usize,
    idle: Duration,
}

struct Slot<T> {
    value: Arc<T>,
    used: Instant,
}

// === impl PerRoute ===

impl<T> PerRoute<T> {
    /// As many routes as are kept: past it, the one that was used least recently is forgotten.
    pub(crate) const MOST: usize = 1024;
    /// A route that nobody has used for so long is forgotten. Longer than any state of ours lasts.
    pub(crate) const IDLE: Duration = Duration::from_secs(2 * 3600);

    pub(crate) fn new() -> Self {
        Self::bounded(Self::MOST, Self::IDLE)
    }

    pub(crate) fn bounded(most: usize, idle: Duration) -> Self {
        Self { slots: Mutex::default(), most, idle }
    }

    /// The state of a route, made if there is none.
    pub(crate) fn of(&self, route: &Route, now: Instant, make: impl FnOnce() -> T) -> Arc<T> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get_mut(route) {
            slot.used = now;
            return slot.value.clone();
        }
        let idle = self.idle;
        slots.retain(|_, slot| now.saturating_duration_since(slot.used) < idle);
        if slots.len() >= self.most {
            let oldest = slots.iter().min_by_key(|(_, slot)| slot.used);
            if let Some(oldest) = oldest.map(|(route, _)| route.clone()) {
                slots.remove(&oldest);
            }
        }
        let value = Arc::new(make());
        slots.insert(route.clone(), Slot { value: value.clone(), used: now });
        value
    }

    /// The state of a route, if there is any.
    pub(crate) fn get(&self, route: &Route) -> Option<Arc<T>> {
        lock(&self.slots).get(route).map(|slot| slot.value.clone())
    }

    /// All routes with their states, in no order.
    pub(crate) fn list(&self) -> Vec<(Route, Arc<T>)> {
        let slots = lock(&self.slots);
        slots.iter().map(|(route, slot)| (route.clone(), slot.value.clone())).collect()
    }
}

impl<T> fmt::Debug for PerRoute<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PerRoute({})", lock(&self.slots).len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(n: usize) -> Route {
        Route::new("p", &n.to_string(), "-")
    }

    #[test]
    fn the_same_route_has_the_same_state() {
        let routes = PerRoute::new();
        let now = Instant::now();
        let first = routes.of(&route(1), now, || 1);
        assert!(Arc::ptr_eq(&first, &routes.of(&route(1), now, || 2)));
        assert_eq!(*routes.of(&route(2), now, || 2), 2);
    }

    #[test]
    fn at_the_bound_the_least_recently_used_is_forgotten() {
        let routes = PerRoute::bounded(2, Duration::from_secs(60));
        let now = Instant::now();
        let at = |s| now + Duration::from_secs(s);
        routes.of(&route(1), at(0), || ());
        routes.of(&route(2), at(1), || ());
        routes.of(&route(1), at(2), || ());
        routes.of(&route(3), at(3), || ());
        assert!(routes.get(&route(2)).is_none() && routes.get(&route(1)).is_some());
        assert_eq!(routes.list().len(), 2);
    }

    #[test]
    fn an_idle_route_is_forgotten() {
        let routes = PerRoute::bounded(9, Duration::from_secs(60));
        let now = Instant::now();
        routes.of(&route(1), now, || ());
        routes.of(&route(2), now + Duration::from_secs(61), || ());
        assert!(routes.get(&route(1)).is_none());
    }
}
