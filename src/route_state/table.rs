//! One bounded table of routes, with second-chance (clock) eviction.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    rest::{AtRest, Rest},
    state::{Layout, RouteState},
};
use crate::route::Route;

/// A bounded number of routes. Eviction is second chance: a clock hand goes round, and evicts an entry at rest that was not used
/// since the hand last passed.
pub(super) struct Table {
    entries: HashMap<Route, Entry>,
    /// Each route once, the next for the hand in front.
    hand: VecDeque<Route>,
    most: usize,
    idle: Duration,
    layout: Arc<Layout>,
}

pub(super) struct Entry {
    state: Arc<RouteState>,
    used: Instant,
    /// Used again since the hand last passed.
    again: bool,
}

/// The number of entries that the hand checks for a new route: idle ones are evicted, and if the table is full, one at rest.
const LOOKED_AT: usize = 8;

// === impl Table ===

impl Table {
    pub(super) fn new(most: usize, idle: Duration, layout: Arc<Layout>) -> Self {
        Self { entries: HashMap::new(), hand: VecDeque::new(), most, idle, layout }
    }

    pub(super) fn get(&self, route: &Route) -> Option<Arc<RouteState>> {
        self.entries.get(route).map(|entry| entry.state.clone())
    }

    /// The state of a route, marked as used, created if there is none; `None` if there is no room.
    pub(super) fn find(
        &mut self,
        route: &Route,
        now: Instant,
        gone: &mut Vec<Entry>,
    ) -> Option<Arc<RouteState>> {
        if let Some(entry) = self.entries.get_mut(route) {
            (entry.used, entry.again) = (now, true);
            return Some(entry.state.clone());
        }
        self.make_room(now, gone).then(|| self.insert(route, now))
    }

    /// Inserts the state of a new route. There must be room.
    fn insert(&mut self, route: &Route, now: Instant) -> Arc<RouteState> {
        let state = Arc::new(self.make(route.clone()));
        self.entries.insert(route.clone(), Entry { state: state.clone(), used: now, again: false });
        self.hand.push_back(route.clone());
        state
    }

    /// A state that is not in the table.
    pub(super) fn make(&self, route: Route) -> RouteState {
        RouteState::new(route, self.layout.clone())
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.most
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<RouteState>> {
        self.entries.values().map(|entry| &entry.state)
    }

    /// Evicts what can be evicted among the next entries; returns whether there is room for one more.
    fn make_room(&mut self, now: Instant, gone: &mut Vec<Entry>) -> bool {
        for _ in 0..LOOKED_AT.min(self.hand.len()) {
            let full = self.is_full();
            let Some(route) = self.hand.pop_front() else { break };
            let entry = self.entries.get_mut(&route);
            match entry.is_some_and(|entry| entry.stays(now, self.idle, full)) {
                true => self.hand.push_back(route),
                false => gone.extend(self.remove(&route)),
            }
        }
        !self.is_full()
    }

    /// Removes the entries of routes for which `gone` holds and that are not in use.
    pub(super) fn forget(&mut self, gone: &dyn Fn(&Route) -> bool, removed: &mut Vec<Entry>) {
        let unused = |(route, entry): (&Route, &Entry)| {
            let unused = Arc::strong_count(&entry.state) == 1 && !entry.state.is_held();
            (unused && gone(route)).then(|| route.clone())
        };
        let found: Vec<_> = self.entries.iter().filter_map(unused).collect();
        removed.extend(found.iter().filter_map(|route| self.remove(route)));
        self.hand.retain(|route| self.entries.contains_key(route));
    }

    /// Removes an entry. The use of the entry counts as use of the entry it links to.
    fn remove(&mut self, route: &Route) -> Option<Entry> {
        let entry = self.entries.remove(route)?;
        let linked = entry.state.without_operation().map(|linked| linked.route());
        if let Some(linked) = linked.and_then(|linked| self.entries.get_mut(linked)) {
            linked.used = linked.used.max(entry.used);
        }
        Some(entry)
    }
}

// === impl Entry ===

impl Entry {
    /// Whether the entry stays when the hand passes. An entry with handles is under way, and a linked one is in use.
    fn stays(&mut self, now: Instant, idle: Duration, full: bool) -> bool {
        let again = self.again && full;
        self.again &= !full;
        let idle = now.saturating_duration_since(self.used) >= idle;
        let held = Arc::strong_count(&self.state) > 1;
        match self.state.rest(now) {
            Rest::Busy => true,
            _ if held => true,
            Rest::Fading => !idle,
            Rest::Settled => !idle && (again || !full),
        }
    }
}
