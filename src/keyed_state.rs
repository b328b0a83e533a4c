//! State that is kept per route: made on first use, forgotten when nothing is lost by it, bounded in number.
//!
//! A table has [`MOST`](KeyedState::MOST) routes. When it is full, a new route takes the place of one whose state is
//! [at rest](AtRest). What is open, waits, is spent or under way is not forgotten: a caller with many credentials could
//! otherwise wipe out what is known of all others. Where nothing found is at rest, [`of`](KeyedState::of) gives a coarse state that
//! the call shares with all credentials of its provider and model (`*` in the place of the credential), or with all models of the
//! provider where there are too many of those as well. [`own`](KeyedState::own) gives none: the breakers have a coarse state already
//! (the coarse breaker of `breaker::coarse_breakers`), which also stands over the routes that have one of their own.
//!
//! A look-up costs the same whatever the table holds; a new route looks at no more than a few others.
//!
//! # Memory
//!
//! A table full of breakers takes less than 8 MiB, and all tables of a client less than 24 MiB, which tests hold; the latencies of
//! routes with 128 calls of each kind take up to 16 MiB more. The coarse states are at most 1 281 more in each table.

mod rest;
mod table;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

pub(crate) use self::rest::{AtRest, Rest};
use self::table::{Slot, Table};
use crate::{context::Route, sync::lock_std as lock};

/// One `T` per route.
pub(crate) struct KeyedState<T>(Mutex<Tables<T>>);

struct Tables<T> {
    routes: Table<T>,
    /// For all credentials of one model, where `routes` is full.
    models: Table<T>,
    /// For all models of one provider, where that is full too.
    providers: Table<T>,
    /// For everybody, where even those are.
    all: Option<(Route, Arc<T>)>,
}

// === impl KeyedState ===

impl<T> KeyedState<T> {
    /// As many routes are kept.
    pub(crate) const MOST: usize = 4096;
    /// As many coarse states: of models, and of providers.
    const MODELS: usize = 1024;
    const PROVIDERS: usize = 256;
    /// A route that nobody has used for so long is forgotten, unless it is busy.
    pub(crate) const IDLE: Duration = Duration::from_secs(2 * 3600);

    pub(crate) fn new() -> Self {
        Self::bounded([Self::MOST, Self::MODELS, Self::PROVIDERS], Self::IDLE)
    }

    pub(crate) fn bounded([routes, models, providers]: [usize; 3], idle: Duration) -> Self {
        Self(Mutex::new(Tables {
            routes: Table::new(routes, idle),
            models: Table::new(models, idle),
            providers: Table::new(providers, idle),
            all: None,
        }))
    }

    /// The state of a route, if there is any; the coarse one where there is no room for its own.
    pub(crate) fn get(&self, route: &Route) -> Option<Arc<T>> {
        let tables = lock(&self.0);
        let own = tables.routes.get(route);
        if own.is_some() || !tables.routes.is_full() {
            return own;
        }
        let model = route.coarser();
        tables.models.get(&model).or_else(|| tables.providers.get(&model.coarser()))
    }

    /// All routes with their states, in no order.
    pub(crate) fn list(&self) -> Vec<(Route, Arc<T>)> {
        let tables = lock(&self.0);
        let Tables { routes, models, providers, all } = &*tables;
        let kept = [routes, models, providers].into_iter().flat_map(Table::iter);
        kept.chain(all.clone()).collect()
    }
}

impl<T: AtRest> KeyedState<T> {
    /// The state of a route, made if there is none; a coarse one if there is no room. `make` is given the route that it is
    /// made for.
    pub(crate) fn of(&self, route: &Route, now: Instant, make: impl FnOnce(&Route) -> T) -> Arc<T> {
        let mut gone = Vec::new();
        let mut tables = lock(&self.0);
        let found = tables.find(route, now, make, &mut gone);
        drop(tables);
        // What was forgotten is dropped without the lock.
        drop(gone);
        found
    }

    /// The state of a route itself, made if there is none; `None` if there is no room.
    pub(crate) fn own(
        &self,
        route: &Route,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
    ) -> Option<Arc<T>> {
        let mut gone = Vec::new();
        let own = lock(&self.0).routes.find(route, now, make, &mut gone);
        // What was forgotten is dropped without the lock.
        drop(gone);
        own.ok()
    }
}

impl<T> fmt::Debug for KeyedState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PerRoute({})", lock(&self.0).routes.len())
    }
}

// === impl Tables ===

impl<T: AtRest> Tables<T> {
    fn find(
        &mut self,
        route: &Route,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
        gone: &mut Vec<Slot<T>>,
    ) -> Arc<T> {
        let mut make = match self.routes.find(route, now, make, gone) {
            Ok(own) => return own,
            Err(make) => make,
        };
        let mut coarse = route.coarser();
        for table in [&mut self.models, &mut self.providers] {
            make = match table.find(&coarse, now, make, gone) {
                Ok(shared) => return shared,
                Err(make) => make,
            };
            coarse = coarse.coarser();
        }
        let everybody = || (coarse.clone(), Arc::new(make(&coarse)));
        self.all.get_or_insert_with(everybody).1.clone()
    }
}

#[cfg(test)]
mod tests;
