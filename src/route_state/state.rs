//! The entry of one route: a slot for each layer's state.

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
    /// The same value, for a downcast.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// The slots that are taken in the entries of one registry. All its entries share it, so it also identifies the registry of an
/// entry.
#[derive(Debug, Default)]
pub(super) struct Layout {
    taken: AtomicUsize,
}

/// The state of one route.
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
    /// Takes the next slot; `None` if all are taken.
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

    /// The route of the entry; a coarse one if several routes share the entry.
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

    /// The value of a slot that is registered for a `T`, created if there is none.
    pub(super) fn fill<T: SlotState + 'static>(
        &self,
        slot: usize,
        make: impl FnOnce(&Route) -> T,
    ) -> Arc<T> {
        let value = self.slots[slot].get_or_init(|| Arc::new(make(&self.route)));
        value.clone().into_any().downcast().expect("a slot is taken once, for one type")
    }

    /// Whether a value is held outside of the entry.
    pub(super) fn is_held(&self) -> bool {
        self.slots.iter().filter_map(OnceLock::get).any(|value| Arc::strong_count(value) > 1)
    }

    /// The entry of the same route without its operation, if it is linked.
    pub(super) fn without_operation(&self) -> Option<&Arc<Self>> {
        self.without_operation.get()
    }

    /// Links the entry of the same route without its operation. The first link stays.
    pub(super) fn link(&self, without_operation: Arc<Self>) {
        let _ = self.without_operation.set(without_operation);
    }
}

/// An entry is at rest when the values of its slots are. A value that is held outside of the entry is in use.
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
