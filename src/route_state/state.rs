//! The entry of one route: a slot for each part that keeps something of it.

use std::{
    any::Any,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::time::Instant;

use super::rest::{AtRest, Rest};
use crate::route::Route;

/// The number of slots in an entry. A client needs six.
pub(super) const SLOTS: usize = 8;

/// A value in a slot.
pub(super) trait SlotState: AtRest + Send + Sync {
    /// The same value, to be cast to its type.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// Which slots of the entries of one registry are taken. All its entries share it, so that it also tells to which registry an
/// entry belongs.
#[derive(Debug, Default)]
pub(super) struct Layout {
    taken: AtomicUsize,
}

/// What is kept of one route.
pub(crate) struct RouteState {
    route: Route,
    layout: Arc<Layout>,
    slots: [OnceLock<Arc<dyn SlotState>>; SLOTS],
    /// The entry of the same route without its operation, once it is known.
    without_operation: OnceLock<Arc<RouteState>>,
}

// === impl SlotState ===

impl<T: AtRest + Send + Sync + 'static> SlotState for T {
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

// === impl Layout ===

impl Layout {
    /// Takes the next slot; `None` where all are taken.
    pub(super) fn take(&self) -> Option<usize> {
        let next = |taken: usize| (taken < SLOTS).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()
    }
}

// === impl RouteState ===

impl RouteState {
    pub(super) fn new(route: Route, layout: Arc<Layout>) -> Self {
        let slots = std::array::from_fn(|_| OnceLock::new());
        Self { route, layout, slots, without_operation: OnceLock::new() }
    }

    /// The route that the entry is for; a coarse one, where several routes share the entry.
    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) fn is_of(&self, layout: &Arc<Layout>) -> bool {
        Arc::ptr_eq(&self.layout, layout)
    }

    /// The value of a slot, if it is filled with a `T`.
    pub(super) fn get<T: SlotState + 'static>(&self, slot: usize) -> Option<Arc<T>> {
        self.slots[slot].get()?.clone().into_any().downcast().ok()
    }

    /// The value of a slot that is kept for a `T`, made if there is none.
    pub(super) fn fill<T: SlotState + 'static>(
        &self,
        slot: usize,
        make: impl FnOnce(&Route) -> T,
    ) -> Arc<T> {
        let value = self.slots[slot].get_or_init(|| Arc::new(make(&self.route)));
        value.clone().into_any().downcast().expect("a slot is taken once, for one type")
    }

    /// The entry of the same route without its operation, where it is linked.
    pub(super) fn without_operation(&self) -> Option<&Arc<Self>> {
        self.without_operation.get()
    }

    /// Links the entry of the same route without its operation. The first one stays.
    pub(super) fn link(&self, without_operation: Arc<Self>) {
        let _ = self.without_operation.set(without_operation);
    }
}

/// What would be lost is what the slots would lose. A value that is held outside of the entry is in use.
impl AtRest for RouteState {
    fn rest(&self, now: Instant) -> Rest {
        let values = self.slots.iter().filter_map(OnceLock::get);
        let rest = values.map(|value| match Arc::strong_count(value) {
            1 => value.rest(now),
            _ => Rest::Busy,
        });
        rest.max().unwrap_or(Rest::Settled)
    }
}
