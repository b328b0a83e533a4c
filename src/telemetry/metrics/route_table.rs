//! The routes that have been used: the label of each, and what the gauges show of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::label_values::LabelValues;
use crate::{circuit_state::CircuitState, context::Route, sync::lock_std};

/// The routes that have been used, each with its label. Several routes have the same label if callers choose models or keys.
pub(super) struct RouteTable {
    labels: LabelValues,
    routes: Mutex<Routes>,
}

struct Routes {
    entries: HashMap<Route, Entry>,
    /// Incremented with each change that gauges show.
    version: u64,
}

struct Entry {
    label: Arc<str>,
    state: CircuitState,
    /// The number of the last change of its breaker.
    number: u64,
    budget: f64,
}

/// What the gauges of one label show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown {
    /// The worst state of a breaker.
    pub(super) state: CircuitState,
    /// The lowest budget.
    pub(super) budget: f64,
    version: u64,
}

/// The maximum number of routes kept. Beyond it, those at rest are forgotten.
const MAX_ROUTES: usize = 1024;

// === impl RouteTable ===

impl RouteTable {
    pub(super) fn new(max_labels: usize) -> Self {
        let routes = Routes { entries: HashMap::new(), version: 0 };
        Self { labels: LabelValues::new(max_labels), routes: Mutex::new(routes) }
    }

    /// The label of a configured name.
    pub(super) fn named(&self, name: &str) -> Arc<str> {
        self.labels.of(name)
    }

    /// The label of one of several equal targets: the name of their fallback and the position, such as `primary/0`.
    pub(super) fn equal(&self, name: &str, position: u16) -> Arc<str> {
        self.labels.of(&format!("{name}/{position}"))
    }

    /// Sets the label of a route, unless it has one.
    pub(super) fn learn(&self, route: &Route, name: &str, equal: Option<u16>) {
        let mut routes = lock_std(&self.routes);
        if routes.entries.contains_key(route) || !routes.make_room() {
            return;
        }
        let label = match equal {
            Some(position) => self.equal(name, position),
            None => self.named(name),
        };
        routes.entries.insert(route.clone(), Entry::new(label));
    }

    /// The label of a route. A route that stands for others, such as all operations or credentials of a model, has the label of
    /// one of them.
    pub(super) fn label(&self, route: &Route) -> Arc<str> {
        let label = lock_std(&self.routes).label(route);
        label.unwrap_or_else(|| self.labels.known(""))
    }

    /// Records a change of a breaker. Returns the label, or `None` if the change is older than one before.
    pub(super) fn changed(&self, route: &Route, to: CircuitState, number: u64) -> Option<Arc<str>> {
        let mut routes = lock_std(&self.routes);
        if !routes.entries.contains_key(route) {
            let label = routes.label(route).unwrap_or_else(|| self.labels.known(""));
            if !routes.make_room() {
                return None;
            }
            routes.entries.insert(route.clone(), Entry::new(label));
        }
        routes.version += 1;
        let entry = routes.entries.get_mut(route)?;
        // A breaker that was forgotten at rest begins at 1 again.
        let anew = number == 1 && entry.state == CircuitState::Closed;
        if number <= entry.number && !anew {
            return None;
        }
        (entry.state, entry.number) = (to, number);
        Some(entry.label.clone())
    }

    /// Records what is left of a budget. Returns the label if that is a change.
    pub(super) fn spent(&self, route: &Route, left: f64) -> Option<Arc<str>> {
        let mut routes = lock_std(&self.routes);
        let entry = routes.entries.get_mut(route)?;
        if entry.budget == left {
            return None;
        }
        entry.budget = left;
        let label = entry.label.clone();
        routes.version += 1;
        Some(label)
    }

    /// Passes what the gauges of a label show to `show`, without a lock, and again if it has changed meanwhile: otherwise the older
    /// of two changes at the same time could be shown last.
    pub(super) fn show(&self, label: &Arc<str>, show: impl Fn(Shown)) {
        loop {
            let shown = lock_std(&self.routes).shown(label);
            show(shown);
            if lock_std(&self.routes).version == shown.version {
                return;
            }
        }
    }
}

// === impl Routes ===

impl Routes {
    /// Whether there is room for another route, after those at rest were forgotten if need be.
    fn make_room(&mut self) -> bool {
        if self.entries.len() >= MAX_ROUTES {
            self.entries.retain(|_, entry| !entry.is_at_rest());
        }
        self.entries.len() < MAX_ROUTES
    }

    fn label(&self, route: &Route) -> Option<Arc<str>> {
        if let Some(entry) = self.entries.get(route) {
            return Some(entry.label.clone());
        }
        let provider = |known: &&Route| known.provider() == route.provider();
        let model = |known: &&Route| provider(known) && known.model() == route.model();
        let near =
            self.entries.keys().find(model).or_else(|| self.entries.keys().find(provider))?;
        Some(self.entries[near].label.clone())
    }

    fn shown(&self, label: &Arc<str>) -> Shown {
        let start = Shown { state: CircuitState::Closed, budget: 1.0, version: self.version };
        let entries = self.entries.values().filter(|entry| entry.label == *label);
        entries.fold(start, |shown, Entry { state, budget, .. }| {
            let worse = if rank(*state) > rank(shown.state) { *state } else { shown.state };
            Shown { state: worse, budget: shown.budget.min(*budget), ..shown }
        })
    }
}

// === impl Entry ===

impl Entry {
    fn new(label: Arc<str>) -> Self {
        Self { label, state: CircuitState::Closed, number: 0, budget: 1.0 }
    }

    /// Whether it shows what a route shows that was never used.
    fn is_at_rest(&self) -> bool {
        self.state == CircuitState::Closed && self.budget >= 1.0
    }
}

/// How bad a state is.
fn rank(state: CircuitState) -> u8 {
    match state {
        CircuitState::Closed => 0,
        CircuitState::ForcedClosed => 1,
        CircuitState::Recovering => 2,
        CircuitState::HalfOpen => 3,
        CircuitState::Open => 4,
        CircuitState::ForcedOpen => 5,
    }
}

#[cfg(test)]
mod tests;
