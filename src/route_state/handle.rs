//! What one look-up gives.

use std::{fmt, sync::Arc};

use super::state::{Layout, RouteState};
use crate::route::Route;

/// The state of a route, as one look-up found it. Cheap to clone; while one exists, the entry is not removed.
#[derive(Clone)]
pub(crate) struct RouteHandle {
    /// The route that was asked for.
    route: Route,
    state: Arc<RouteState>,
    /// The entry is for that route alone, and not for all that there is no room for.
    own: bool,
}

// === impl RouteHandle ===

impl RouteHandle {
    pub(super) fn new(route: Route, state: Arc<RouteState>, own: bool) -> Self {
        Self { route, state, own }
    }

    /// The route that was asked for.
    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) fn state(&self) -> &Arc<RouteState> {
        &self.state
    }

    /// Whether the entry is for the route that was asked for alone.
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
