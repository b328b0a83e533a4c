//! The result of a lookup.

use std::{fmt, sync::Arc};

use super::state::{Layout, RouteState};
use crate::route::Route;

/// The state of a route, as one lookup found it. Cheap to clone; the entry is not evicted while one exists.
#[derive(Clone)]
pub(crate) struct RouteHandle {
    /// The route that was looked up.
    route: Route,
    state: Arc<RouteState>,
    /// Whether the entry is for that route alone, and not shared for lack of room.
    own: bool,
}

// === impl RouteHandle ===

impl RouteHandle {
    pub(super) fn new(route: Route, state: Arc<RouteState>, own: bool) -> Self {
        Self { route, state, own }
    }

    /// The route that was looked up.
    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) fn state(&self) -> &Arc<RouteState> {
        &self.state
    }

    /// Whether the entry is for the route alone that was looked up.
    pub(super) fn is_own(&self) -> bool {
        self.own
    }

    /// Whether the entry belongs to the registry with that layout.
    pub(super) fn is_of(&self, layout: &Arc<Layout>) -> bool {
        self.state.is_of(layout)
    }
}

impl fmt::Debug for RouteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RouteHandle({})", self.route)
    }
}
