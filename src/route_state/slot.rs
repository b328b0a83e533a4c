//! The part of a registry that one layer keeps.

use std::{fmt, marker::PhantomData, sync::Arc};

use tokio::time::Instant;

use super::{handle::RouteHandle, rest::AtRest, routes::Routes};
use crate::route::Route;

/// One `T` per route, in the slot that was registered for it. Clones are the same slot.
///
/// A value is made by the `make` that the caller brings, which is given the route of the entry: a coarse one, where several
/// routes share it. It is called without the lock of the registry, once for each entry.
pub(crate) struct Slot<T> {
    routes: Routes,
    at: usize,
    of: PhantomData<fn() -> T>,
}

// === impl Slot ===

impl<T: AtRest + Send + Sync + 'static> Slot<T> {
    /// Takes a slot of that registry. Where none is left, a registry of its own has it.
    pub(crate) fn new(routes: &Routes) -> Self {
        let of = PhantomData;
        match routes.layout().take() {
            Some(at) => Self { routes: routes.clone(), at, of },
            None => Self::new(&Routes::new()),
        }
    }

    /// The registry that has the slot.
    pub(crate) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The value in the entry that was looked up, made if there is none. Looks the route up where the handle is of another registry.
    pub(crate) fn of(
        &self,
        handle: &RouteHandle,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
    ) -> Arc<T> {
        match handle.is_of(self.routes.layout()) {
            true => handle.state().fill(self.at, make),
            false => self.find(handle.route(), now, make),
        }
    }

    /// The same for a route that has an entry of its own; `None` for one that there is no room for.
    pub(crate) fn own_of(
        &self,
        handle: &RouteHandle,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
    ) -> Option<Arc<T>> {
        match handle.is_of(self.routes.layout()) {
            true => handle.is_own().then(|| handle.state().fill(self.at, make)),
            false => self.find_own(handle.route(), now, make),
        }
    }

    /// The value in the entry that was looked up, if there is any. Makes none.
    pub(crate) fn peek(&self, handle: &RouteHandle) -> Option<Arc<T>> {
        match handle.is_of(self.routes.layout()) {
            true => handle.state().get(self.at),
            false => self.get(handle.route()),
        }
    }

    /// Looks a route up: the value in its entry, made if there is none; that of a coarse entry if there is no room.
    pub(crate) fn find(
        &self,
        route: &Route,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
    ) -> Arc<T> {
        self.routes.find(route, now).state().fill(self.at, make)
    }

    /// Looks a route up: the value in its own entry, made if there is none; `None` if there is no room.
    pub(crate) fn find_own(
        &self,
        route: &Route,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
    ) -> Option<Arc<T>> {
        Some(self.routes.find_own(route, now)?.fill(self.at, make))
    }

    /// The value of a route, if there is any; that of the coarse entry where there is no room for its own. Makes none.
    pub(crate) fn get(&self, route: &Route) -> Option<Arc<T>> {
        self.routes.get(route)?.get(self.at)
    }

    /// The value of a route itself, if there is any. Makes none.
    pub(crate) fn get_own(&self, route: &Route) -> Option<Arc<T>> {
        self.routes.get_own(route)?.get(self.at)
    }

    /// The routes that have a value, in no order.
    pub(crate) fn list(&self) -> Vec<(Route, Arc<T>)> {
        let all = self.routes.list().into_iter();
        all.filter_map(|state| Some((state.route().clone(), state.get(self.at)?))).collect()
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self { routes: self.routes.clone(), at: self.at, of: PhantomData }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.routes.fmt(f)
    }
}
