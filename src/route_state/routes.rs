//! The registry of all routes, with their state.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    handle::RouteHandle,
    state::{Layout, RouteState},
    table::{Entry, Table},
};
use crate::{route::Route, sync::lock_std as lock};

/// A registry of the state that layers keep for each route: breakers, limits, budgets and latencies.
///
/// Clones are the same registry. Give one to all layers of a stack ([`BreakerLayer::routes`], [`LimitLayer::routes`],
/// [`RetryLayer::routes`], [`HedgeLayer::routes`], [`FallbackLayer::routes`]): then one lookup of an attempt's route serves all
/// of them, and the route is kept as long as one of them needs it. By default each layer has a registry of its own. A
/// [`Client`](crate::Client) gives one to all its layers.
///
/// ```
/// use evenkeel::{breaker::BreakerPolicy, context::Routes, limit::LimitPolicy, retry::RetryPolicy};
/// use tower::ServiceBuilder;
///
/// let routes = Routes::new();
/// let stack = ServiceBuilder::new()
///     .layer(RetryPolicy::new().build()?.routes(&routes))
///     .layer(BreakerPolicy::default().build()?.routes(&routes))
///     .layer(LimitPolicy::new().requests(500).build()?.routes(&routes));
/// # let _ = stack;
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
///
/// # Bounds
///
/// At most [`MAX`](Self::MAX) routes are kept. A route that was not used for two hours is removed, unless it is open, closed for a
/// time, or has calls under way in one of the layers. A new route takes the place of one of which no layer keeps more than was there
/// at first: no failures, no spent budget, no wait. Where there is none, the new route is known by what all credentials of its model
/// show together.
///
/// A registry has room for eight slots. A layer takes one, a hedge layer two. A layer that finds no slot left gets a registry of
/// its own.
///
/// [`BreakerLayer::routes`]: crate::breaker::BreakerLayer::routes
/// [`LimitLayer::routes`]: crate::limit::LimitLayer::routes
/// [`RetryLayer::routes`]: crate::retry::RetryLayer::routes
/// [`HedgeLayer::routes`]: crate::hedge::HedgeLayer::routes
/// [`FallbackLayer::routes`]: crate::fallback::FallbackLayer::routes
#[derive(Clone)]
pub struct Routes(Arc<Inner>);

struct Inner {
    layout: Arc<Layout>,
    tables: Mutex<Tables>,
}

struct Tables {
    routes: Table,
    /// For all credentials of one model, if `routes` is full.
    models: Table,
    /// For all models of one provider, if `models` is full too.
    providers: Table,
    /// For all routes, if even `providers` is full.
    all: Option<Arc<RouteState>>,
    /// The number of lookups under the lock.
    look_ups: u64,
}

// === impl Routes ===

impl Routes {
    /// The maximum number of routes: 4 096.
    pub const MAX: usize = 4096;
    /// The maximum numbers of coarse entries: of models, and of providers.
    const MODELS: usize = 1024;
    const PROVIDERS: usize = 256;
    /// A route that was not used for this long is evicted, unless it is busy.
    const IDLE: Duration = Duration::from_secs(2 * 3600);

    /// Creates an empty registry.
    pub fn new() -> Self {
        Self::bounded([Self::MAX, Self::MODELS, Self::PROVIDERS], Self::IDLE)
    }

    pub(super) fn bounded([routes, models, providers]: [usize; 3], idle: Duration) -> Self {
        let layout = Arc::<Layout>::default();
        let table = |most| Table::new(most, idle, layout.clone());
        let tables = Mutex::new(Tables {
            routes: table(routes),
            models: table(models),
            providers: table(providers),
            all: None,
            look_ups: 0,
        });
        Self(Arc::new(Inner { layout, tables }))
    }

    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.0.layout
    }

    /// Whether a handle comes from this registry.
    pub(crate) fn has(&self, handle: &RouteHandle) -> bool {
        handle.is_of(self.layout())
    }

    /// Looks a route up: its entry, created if there is none; a coarse one if there is no room.
    pub(crate) fn find(&self, route: &Route, now: Instant) -> RouteHandle {
        let (state, own) =
            self.look_up(|tables, gone| match tables.routes.find(route, now, gone) {
                Some(own) => (own, true),
                None => (tables.coarse(route, now, gone), false),
            });
        RouteHandle::new(route.clone(), state, own)
    }

    /// Looks a route up: its own entry, created if there is none; `None` if there is no room.
    pub(super) fn find_own(&self, route: &Route, now: Instant) -> Option<Arc<RouteState>> {
        self.look_up(|tables, gone| tables.routes.find(route, now, gone))
    }

    /// The entry of a route, if there is one; the coarse one if there is no room for its own.
    pub(super) fn get(&self, route: &Route) -> Option<Arc<RouteState>> {
        self.look_up(|tables, _| {
            let own = tables.routes.get(route);
            if own.is_some() || !tables.routes.is_full() {
                return own;
            }
            let model = route.coarser();
            tables.models.get(&model).or_else(|| tables.providers.get(&model.coarser()))
        })
    }

    /// A route's own entry, if there is one.
    pub(super) fn get_own(&self, route: &Route) -> Option<Arc<RouteState>> {
        self.look_up(|tables, _| tables.routes.get(route))
    }

    /// The state of the same route without its operation. For a route with an entry of its own, it is looked up once and linked.
    pub(crate) fn without_operation(&self, handle: &RouteHandle, now: Instant) -> RouteHandle {
        if handle.route().operation().is_empty() {
            return handle.clone();
        }
        let route = handle.route().without_operation();
        let linked = handle.is_own() && self.has(handle);
        if let Some(state) = handle.state().without_operation().filter(|_| linked) {
            return RouteHandle::new(route, state.clone(), true);
        }
        let found = self.find(&route, now);
        if linked && found.is_own() {
            handle.state().link(found.state().clone());
        }
        found
    }

    /// Forgets the routes for which `gone` holds, whatever their state, unless a call of theirs is under way.
    pub(crate) fn forget(&self, gone: impl Fn(&Route) -> bool) {
        let (with_operation, all) = (|it: &Route| !it.operation().is_empty(), |_: &Route| true);
        // The entry of an operation holds the one without it, so it goes first.
        for of_these in [&with_operation as &dyn Fn(&Route) -> bool, &all] {
            let mut removed = Vec::new();
            let gone = |route: &Route| of_these(route) && gone(route);
            lock(&self.0.tables).routes.forget(&gone, &mut removed);
            // Dropped without the lock.
            drop(removed);
        }
    }

    /// All entries, in no order.
    pub(super) fn list(&self) -> Vec<Arc<RouteState>> {
        let tables = lock(&self.0.tables);
        let Tables { routes, models, providers, all, .. } = &*tables;
        let kept = [routes, models, providers].into_iter().flat_map(Table::iter);
        kept.chain(all).cloned().collect()
    }

    /// The number of lookups.
    #[cfg(test)]
    pub(crate) fn look_ups(&self) -> u64 {
        lock(&self.0.tables).look_ups
    }

    fn look_up<T>(&self, find: impl FnOnce(&mut Tables, &mut Vec<Entry>) -> T) -> T {
        let mut gone = Vec::new();
        let mut tables = lock(&self.0.tables);
        tables.look_ups += 1;
        let found = find(&mut tables, &mut gone);
        drop(tables);
        // Evicted entries are dropped without the lock.
        drop(gone);
        found
    }
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = lock(&self.0.tables);
        f.debug_struct("Routes")
            .field("kept", &tables.routes.len())
            .field("look_ups", &tables.look_ups)
            .finish()
    }
}

// === impl Tables ===

impl Tables {
    /// The finest shared entry with room, for a route that has none of its own.
    fn coarse(&mut self, route: &Route, now: Instant, gone: &mut Vec<Entry>) -> Arc<RouteState> {
        let mut coarse = route.coarser();
        for table in [&mut self.models, &mut self.providers] {
            if let Some(shared) = table.find(&coarse, now, gone) {
                return shared;
            }
            coarse = coarse.coarser();
        }
        let everybody = || Arc::new(self.routes.make(coarse));
        self.all.get_or_insert_with(everybody).clone()
    }
}
