//! An outage: its phases, and what providers do in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    io::Read as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use crate::incident::{Behaviour, Bounds, IncidentError, built_in, file, schedule::Schedule};

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

    /// ChatGPT on 4 June 2024: down twice, for four hours and for two, with a ramp at the end; the secondary is overloaded
    /// in between. 708 minutes.
    pub fn openai_2024_06_04() -> Self {
        built_in::read(built_in::OPENAI_2024_06_04)
    }

    /// OpenAI's API on 11 December 2024: down for two hours, with half of the connections refused, and a slow ramp of two
    /// hours. 352 minutes.
    pub fn openai_2024_12_11() -> Self {
        built_in::read(built_in::OPENAI_2024_12_11)
    }

    /// A tool of the primary that is gone: from minute 10 to 50 every attempt that brings `web_search` gets 500, all others
    /// are well. 60 minutes, made up.
    pub fn tool_gone() -> Self {
        built_in::read(built_in::TOOL_GONE)
    }

    /// The names of those that are built in, for [`named`](Self::named).
    pub const BUILT_IN: [&str; 10] = built_in::NAMES;

    /// The built-in one of that name.
    pub fn named(name: &str) -> Option<Self> {
        built_in::text(name).map(built_in::read)
    }

    /// Reads a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, IncidentError> {
        let path = path.as_ref();
        text(path).and_then(|text| Self::parse(&text)).map_err(|error| error.in_file(path))
    }

    /// Reads the text of a file.
    pub fn parse(json: &str) -> Result<Self, IncidentError> {
        file::parse(json)
    }

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

    /// What a provider does that is this incident's primary.
    pub fn primary_schedule(&self) -> Schedule {
        Schedule::new(self.primary.clone(), self.states.clone())
    }

    /// What a provider does that is this incident's secondary.
    pub fn secondary_schedule(&self) -> Schedule {
        Schedule::new(self.secondary.clone(), self.states.clone()).salted()
    }
}

/// The phase of a moment. There is at least one phase, or the file was refused.
pub(super) fn position(phases: &[Phase], time: Duration) -> usize {
    phases.partition_point(|phase| phase.to <= time).min(phases.len() - 1)
}

/// The text of a file, if it is not too long.
fn text(path: &Path) -> Result<String, IncidentError> {
    let mut text = String::new();
    File::open(path)?.take(Incident::MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > Incident::MAX_BYTES {
        let most = format!("at most {} bytes", Incident::MAX_BYTES);
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, most).into());
    }
    Ok(text)
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
