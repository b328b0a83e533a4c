//! The registry: all routes, with what is kept of each.

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

/// The state that is kept for each route: the registry of the breakers, limits, budgets and latencies of several layers.
///
/// Clones are the same registry. Give one to all layers of a stack ([`BreakerLayer::routes`], [`LimitLayer::routes`],
/// [`RetryLayer::routes`], [`HedgeLayer::routes`], [`FallbackLayer::routes`]): then one look-up of an attempt's route serves all
/// of them, and the route is kept for as long as one of them has a reason. A layer that is given none has a registry of its own.
/// A [`Client`](crate::Client) gives one to all its layers.
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
/// A registry has room for the parts of eight layers. A hedge layer takes two of them. A layer that finds no room left has a
/// registry of its own.
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
    /// For all credentials of one model, where `routes` is full.
    models: Table,
    /// For all models of one provider, where that is full too.
    providers: Table,
    /// For everybody, where even those are.
    all: Option<Arc<RouteState>>,
    /// How often the lock was taken to look a route up.
    look_ups: u64,
}

// === impl Routes ===

impl Routes {
    /// The number of routes that are kept at most.
    pub const MAX: usize = 4096;
    /// The most coarse entries: of models, and of providers.
    const MODELS: usize = 1024;
    const PROVIDERS: usize = 256;
    /// A route that nobody has used for this long is removed, unless it is busy.
    const IDLE: Duration = Duration::from_secs(2 * 3600);

    /// An empty registry.
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

    /// Looks a route up: its entry, made if there is none; a coarse one if there is no room.
    pub(crate) fn find(&self, route: &Route, now: Instant) -> RouteHandle {
        let (state, own) =
            self.look_up(|tables, gone| match tables.routes.find(route, now, gone) {
                Some(own) => (own, true),
                None => (tables.coarse(route, now, gone), false),
            });
        RouteHandle::new(route.clone(), state, own)
    }

    /// Looks a route up: its own entry, made if there is none; `None` if there is no room.
    pub(super) fn find_own(&self, route: &Route, now: Instant) -> Option<Arc<RouteState>> {
        self.look_up(|tables, gone| tables.routes.find(route, now, gone))
    }

    /// The entry of a route, if there is any; the coarse one where there is no room for its own.
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

    /// The entry of a route itself, if there is any.
    pub(super) fn get_own(&self, route: &Route) -> Option<Arc<RouteState>> {
        self.look_up(|tables, _| tables.routes.get(route))
    }

    /// The state of the same route without its operation. A route that has an entry of its own is looked up for it once.
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

    /// All entries, in no order.
    pub(super) fn list(&self) -> Vec<Arc<RouteState>> {
        let tables = lock(&self.0.tables);
        let Tables { routes, models, providers, all, .. } = &*tables;
        let kept = [routes, models, providers].into_iter().flat_map(Table::iter);
        kept.chain(all).cloned().collect()
    }

    /// How often a route was looked up.
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
        // What was removed is dropped without the lock.
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
    /// The finest entry that there is room for, for a route that has none of its own.
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
