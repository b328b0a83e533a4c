//! The part of a registry that one layer keeps.

use std::{fmt, marker::PhantomData, sync::Arc};

use tokio::time::Instant;

use super::{handle::RouteHandle, rest::AtRest, routes::Routes};
use crate::route::Route;

/// One `T` per route, in the slot that was registered for it. Clones are the same slot.
///
/// A value is created by the caller's `make`, which gets the route of the entry: a coarse route if several routes share the
/// entry. `make` is called without the lock of the registry, once for each entry.
pub(crate) struct Slot<T> {
    routes: Routes,
    at: usize,
    of: PhantomData<fn() -> T>,
}

// === impl Slot ===

impl<T: AtRest + Send + Sync + 'static> Slot<T> {
    /// Registers a slot of that registry. If none is left, it gets a registry of its own.
    pub(crate) fn new(routes: &Routes) -> Self {
        let of = PhantomData;
        match routes.layout().take() {
            Some(at) => Self { routes: routes.clone(), at, of },
            None => Self::new(&Routes::new()),
        }
    }

    /// The registry of the slot.
    pub(crate) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The value in the entry of a handle, created if there is none. Looks the route up if the handle belongs to another
    /// registry.
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

    /// Like [`of`](Self::of), for a route with an entry of its own; `None` if there was no room for one.
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

    /// The value in the entry of a handle, if there is one. Creates none.
    pub(crate) fn peek(&self, handle: &RouteHandle) -> Option<Arc<T>> {
        match handle.is_of(self.routes.layout()) {
            true => handle.state().get(self.at),
            false => self.get(handle.route()),
        }
    }

    /// Looks a route up: the value in its entry, created if there is none; that of a coarse entry if there is no room.
    pub(crate) fn find(
        &self,
        route: &Route,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
    ) -> Arc<T> {
        self.routes.find(route, now).state().fill(self.at, make)
    }

    /// Looks a route up: the value in its own entry, created if there is none; `None` if there is no room.
    pub(crate) fn find_own(
        &self,
        route: &Route,
        now: Instant,
        make: impl FnOnce(&Route) -> T,
    ) -> Option<Arc<T>> {
        Some(self.routes.find_own(route, now)?.fill(self.at, make))
    }

    /// The value of a route, if there is one; that of the coarse entry if there is no room for its own. Creates none.
    pub(crate) fn get(&self, route: &Route) -> Option<Arc<T>> {
        self.routes.get(route)?.get(self.at)
    }

    /// The value in a route's own entry, if there is one. Creates none.
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
