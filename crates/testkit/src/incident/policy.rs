//! An outage: its phases, and what providers do in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use crate::incident::{Behaviour, Bounds};

/// An outage: the states of a primary and of a secondary provider over time, and what they do in each.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) facts: Vec<String>,
    pub(super) note: String,
    pub(super) rate: Option<f64>,
    pub(super) bounds: BTreeMap<String, Bounds>,
    pub(super) primary: Vec<Phase>,
    pub(super) secondary: Vec<Phase>,
    pub(super) states: Arc<States>,
}

/// What providers do in each state.
pub(super) type States = BTreeMap<State, Behaviour>;

/// A stretch of time in which a provider is in one state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Phase {
    /// When it begins.
    pub from: Duration,
    /// When it ends.
    pub to: Duration,
    /// The state.
    pub state: State,
}

/// The state of a provider: a name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State(Arc<str>);

// === impl Incident ===

impl Incident {
    /// The longest file that is read, in bytes.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its times are from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What is known of it.
    pub fn facts(&self) -> &[String] {
        &self.facts
    }

    /// What is assumed.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The calls a minute that it is about, where that matters.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// What the client of that name has to keep to.
    pub fn bounds(&self, client: &str) -> Bounds {
        self.bounds.get(client).copied().unwrap_or_default()
    }

    /// How long it lasts.
    pub fn length(&self) -> Duration {
        self.primary.last().map_or(Duration::ZERO, |phase| phase.to)
    }

    /// The phases of the primary.
    pub fn primary(&self) -> &[Phase] {
        &self.primary
    }

    /// The phases of the secondary.
    pub fn secondary(&self) -> &[Phase] {
        &self.secondary
    }

    /// The state of the primary so long after the start; the last one for ever after the end.
    pub fn primary_at(&self, time: Duration) -> &State {
        &self.primary[position(&self.primary, time)].state
    }

    /// The state of the secondary so long after the start.
    pub fn secondary_at(&self, time: Duration) -> &State {
        &self.secondary[position(&self.secondary, time)].state
    }

    /// The tools that do not work at the primary so long after the start.
    pub fn tools_gone_at(&self, time: Duration) -> impl Iterator<Item = &str> {
        self.states[self.primary_at(time)].tools().map(|tool| &**tool)
    }

    /// The tools that do not work at either provider at some time: what the incident is about, if there are any.
    pub fn tools(&self) -> BTreeSet<&str> {
        let phases = self.primary.iter().chain(&self.secondary);
        phases.flat_map(|phase| self.states[&phase.state].tools()).map(|tool| &**tool).collect()
    }
}

/// The phase of a moment. There is at least one phase, or the file was refused.
pub(super) fn position(phases: &[Phase], time: Duration) -> usize {
    phases.partition_point(|phase| phase.to <= time).min(phases.len() - 1)
}

// === impl Phase ===

impl Phase {
    /// How long it lasts.
    pub fn length(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }

    /// Whether a moment is in it.
    pub fn contains(&self, time: Duration) -> bool {
        (self.from..self.to).contains(&time)
    }
}

// === impl State ===

impl State {
    /// The state of that name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether it is the state that ends an outage.
    pub fn is_healthy(&self) -> bool {
        &*self.0 == "healthy"
    }

    /// Whether it is the outage itself.
    pub fn is_down(&self) -> bool {
        &*self.0 == "down"
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
