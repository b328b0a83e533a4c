//! One bounded table of routes: a map, and a hand that goes round it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{AtRest, Rest};
use crate::context::Route;

/// A bounded number of routes. Which one makes room is found by a hand that goes round (second chance): of those at rest, one
/// that was not used since the hand came by.
pub(super) struct Table<T> {
    slots: HashMap<Route, Slot<T>>,
    /// Each route once, the next that the hand comes to in front.
    hand: VecDeque<Route>,
    most: usize,
    idle: Duration,
}

pub(super) struct Slot<T> {
    value: Arc<T>,
    used: Instant,
    /// Used again since the hand came by.
    again: bool,
}

/// So many are looked at for a new one: those that are idle go, and where the table is full one that is at rest.
const LOOKED_AT: usize = 8;

// === impl Table ===

impl<T> Table<T> {
    pub(super) fn new(most: usize, idle: Duration) -> Self {
        Self { slots: HashMap::new(), hand: VecDeque::new(), most, idle }
    }

    pub(super) fn get(&self, route: &Route) -> Option<Arc<T>> {
        self.slots.get(route).map(|slot| slot.value.clone())
    }

    /// The same for somebody who uses it.
    fn touch(&mut self, route: &Route, now: Instant) -> Option<Arc<T>> {
        let slot = self.slots.get_mut(route)?;
        (slot.used, slot.again) = (now, true);
        Some(slot.value.clone())
    }

    /// A state for a route that has none, where there is room.
    fn insert(&mut self, route: &Route, now: Instant, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.slots.insert(route.clone(), Slot { value: value.clone(), used: now, again: false });
        self.hand.push_back(route.clone());
        value
    }

    pub(super) fn is_full(&self) -> bool {
        self.slots.len() >= self.most
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Route, Arc<T>)> + '_ {
        self.slots.iter().map(|(route, slot)| (route.clone(), slot.value.clone()))
    }
}

impl<T: AtRest> Table<T> {
    /// The state of a route, made if there is none; `make` back if there is no room.
    pub(super) fn find<F: FnOnce(&Route) -> T>(
        &mut self,
        route: &Route,
        now: Instant,
        make: F,
        gone: &mut Vec<Slot<T>>,
    ) -> Result<Arc<T>, F> {
        if let Some(own) = self.touch(route, now) {
            return Ok(own);
        }
        if self.make_room(now, gone) {
            return Ok(self.insert(route, now, make(route)));
        }
        Err(make)
    }

    /// Whether there is room for one more, after what the hand has come by is forgotten where it can be.
    fn make_room(&mut self, now: Instant, gone: &mut Vec<Slot<T>>) -> bool {
        for _ in 0..LOOKED_AT.min(self.hand.len()) {
            let full = self.is_full();
            let Some(route) = self.hand.pop_front() else { break };
            let slot = self.slots.get_mut(&route);
            match slot.is_some_and(|slot| slot.stays(now, self.idle, full)) {
                true => self.hand.push_back(route),
                false => gone.extend(self.slots.remove(&route)),
            }
        }
        !self.is_full()
    }
}

// === impl Slot ===

impl<T: AtRest> Slot<T> {
    /// Whether it is kept now that the hand comes by. What somebody holds is under way.
    fn stays(&mut self, now: Instant, idle: Duration, full: bool) -> bool {
        let again = self.again && full;
        self.again &= !full;
        let idle = now.saturating_duration_since(self.used) >= idle;
        let held = Arc::strong_count(&self.value) > 1;
        match self.value.rest(now) {
            Rest::Busy => true,
            _ if held => true,
            Rest::Fading => !idle,
            Rest::Settled => !idle && (again || !full),
        }
    }
}
