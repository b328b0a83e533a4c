//! An outage: its phases, and the behaviour of providers in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use crate::incident::{Behaviour, Bounds};

/// An outage: the states of a primary and of a secondary provider over time, and their behaviour in each state.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) facts: Vec<String>,
    pub(super) note: String,
    pub(super) rate: Option<f64>,
    pub(super) bounds: BTreeMap<String, Bounds>,
    pub(super) primary: Vec<IncidentPhase>,
    pub(super) secondary: Vec<IncidentPhase>,
    pub(super) states: Arc<States>,
}

/// The behaviour of providers in each state.
pub(super) type States = BTreeMap<ProviderState, Behaviour>;

/// A period in which a provider is in one state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IncidentPhase {
    /// The start of the phase.
    pub from: Duration,
    /// The end of the phase.
    pub to: Duration,
    /// The state of the provider.
    pub state: ProviderState,
}

/// The state of a provider, by its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderState(Arc<str>);

// === impl Incident ===

impl Incident {
    /// The largest size of a file, in bytes.
    pub const MAX_BYTES: usize = 1 << 20;

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The source of its times.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The known facts.
    pub fn facts(&self) -> &[String] {
        &self.facts
    }

    /// The assumptions.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The calls a minute for which the incident is written, if the file names them.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// The limits on the metrics of the client of that name.
    pub fn bounds(&self, client: &str) -> Bounds {
        self.bounds.get(client).copied().unwrap_or_default()
    }

    /// The length.
    pub fn length(&self) -> Duration {
        self.primary.last().map_or(Duration::ZERO, |phase| phase.to)
    }

    /// The phases of the primary.
    pub fn primary(&self) -> &[IncidentPhase] {
        &self.primary
    }

    /// The phases of the secondary.
    pub fn secondary(&self) -> &[IncidentPhase] {
        &self.secondary
    }

    /// The state of the primary at a time since the start. The last state has no end.
    pub fn primary_at(&self, time: Duration) -> &ProviderState {
        &self.primary[position(&self.primary, time)].state
    }

    /// The state of the secondary at a time since the start. The last state has no end.
    pub fn secondary_at(&self, time: Duration) -> &ProviderState {
        &self.secondary[position(&self.secondary, time)].state
    }

    /// The tools that are unavailable at the primary, at a time since the start.
    pub fn tools_gone_at(&self, time: Duration) -> impl Iterator<Item = &str> {
        self.states[self.primary_at(time)].tools().map(|tool| &**tool)
    }

    /// The tools that are unavailable at some time at one of the providers.
    pub fn tools(&self) -> BTreeSet<&str> {
        let phases = self.primary.iter().chain(&self.secondary);
        phases.flat_map(|phase| self.states[&phase.state].tools()).map(|tool| &**tool).collect()
    }
}

/// The index of the phase at a time. There is at least one phase, or the file was rejected.
pub(super) fn position(phases: &[IncidentPhase], time: Duration) -> usize {
    phases.partition_point(|phase| phase.to <= time).min(phases.len() - 1)
}

// === impl IncidentPhase ===

impl IncidentPhase {
    /// The length.
    pub fn length(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }

    /// Whether a time is within the phase.
    pub fn contains(&self, time: Duration) -> bool {
        (self.from..self.to).contains(&time)
    }
}

// === impl ProviderState ===

impl ProviderState {
    /// The state of that name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether the state ends an outage: `healthy`.
    pub fn is_healthy(&self) -> bool {
        &*self.0 == "healthy"
    }

    /// Whether the state is an outage: `down`.
    pub fn is_down(&self) -> bool {
        &*self.0 == "down"
    }
}

impl fmt::Debug for ProviderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ProviderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
