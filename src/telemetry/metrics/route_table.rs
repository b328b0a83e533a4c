//! The routes that have been used: the label of each, and what the gauges show of it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use super::label_values::LabelValues;
use crate::{circuit_state::CircuitState, context::Route, sync::lock_std};

/// The routes that have been used, each with its label. Several routes have the same label if callers choose models or keys, and
/// each client has breakers and budgets of its own.
pub(super) struct RouteTable {
    labels: LabelValues,
    routes: Mutex<Routes>,
}

/// The listener of one client: routes of another one are not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope(pub(super) u64);

/// A route of one client.
type RouteKey = (Scope, Route);

struct Routes {
    entries: HashMap<RouteKey, Entry>,
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
    pub(super) fn learn(&self, key: &RouteKey, name: &str, equal: Option<u16>) {
        let mut routes = lock_std(&self.routes);
        if routes.entries.contains_key(key) || !routes.make_room() {
            return;
        }
        let label = match equal {
            Some(position) => self.equal(name, position),
            None => self.named(name),
        };
        routes.entries.insert(key.clone(), Entry::new(label));
    }

    /// The label of a route. A route that stands for others, such as all operations or credentials of a model, has the label of
    /// one of them.
    pub(super) fn label(&self, key: &RouteKey) -> Arc<str> {
        let label = lock_std(&self.routes).label(key);
        label.unwrap_or_else(|| self.labels.known(""))
    }

    /// Records a change of a breaker. Returns the label, or `None` if the change is older than one before.
    pub(super) fn changed(
        &self,
        key: &RouteKey,
        to: CircuitState,
        number: u64,
    ) -> Option<Arc<str>> {
        let mut routes = lock_std(&self.routes);
        if !routes.entries.contains_key(key) {
            let label = routes.label(key).unwrap_or_else(|| self.labels.known(""));
            if !routes.make_room() {
                return None;
            }
            routes.entries.insert(key.clone(), Entry::new(label));
        }
        routes.version += 1;
        let entry = routes.entries.get_mut(key)?;
        // A breaker that was forgotten at rest begins at 1 again.
        let anew = number == 1 && entry.state == CircuitState::Closed;
        if number <= entry.number && !anew {
            return None;
        }
        (entry.state, entry.number) = (to, number);
        Some(entry.label.clone())
    }

    /// Records what is left of a budget. Returns the label if that is a change.
    pub(super) fn spent(&self, key: &RouteKey, left: f64) -> Option<Arc<str>> {
        let mut routes = lock_std(&self.routes);
        let entry = routes.entries.get_mut(key)?;
        if entry.budget == left {
            return None;
        }
        entry.budget = left;
        let label = entry.label.clone();
        routes.version += 1;
        Some(label)
    }

    /// Forgets the routes of a client that is dropped. Returns the labels of those that were not at rest.
    pub(super) fn forget(&self, scope: Scope) -> HashSet<Arc<str>> {
        let mut routes = lock_std(&self.routes);
        let mut labels = HashSet::new();
        routes.version += 1;
        routes.entries.retain(|(of, _), entry| {
            if *of == scope && !entry.is_at_rest() {
                labels.insert(entry.label.clone());
            }
            *of != scope
        });
        labels
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

    fn label(&self, key: &RouteKey) -> Option<Arc<str>> {
        if let Some(entry) = self.entries.get(key) {
            return Some(entry.label.clone());
        }
        let (scope, route) = key;
        let of_client = || self.entries.keys().filter(|(of, _)| of == scope);
        let provider = |(_, known): &&RouteKey| known.provider() == route.provider();
        let model = |known: &&RouteKey| provider(known) && known.1.model() == route.model();
        let near = of_client().find(model).or_else(|| of_client().find(provider))?;
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
