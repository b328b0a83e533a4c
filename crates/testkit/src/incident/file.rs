//! Parses and validates the JSON file of an incident.

use std::{collections::BTreeMap, fs::File, io::Read as _, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;

use crate::incident::{
    Behaviour, Bounds, IncidentError,
    field_error::FieldError,
    file_state::RawState,
    policy::{Incident, IncidentPhase, ProviderState, States},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIncident {
    name: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    facts: Vec<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    rate: Option<f64>,
    #[serde(default)]
    bounds: BTreeMap<String, Bounds>,
    phases_min: Vec<RawPhase>,
    #[serde(default)]
    secondary_phases_min: Option<Vec<RawPhase>>,
    #[serde(default)]
    states: BTreeMap<String, RawState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPhase {
    from: f64,
    to: f64,
    provider: String,
}

/// A year, in minutes.
const MAX_MINUTES: f64 = 365.0 * 24.0 * 60.0;

// === impl Incident ===

impl Incident {
    /// Reads and parses a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, IncidentError> {
        let path = path.as_ref();
        text(path).and_then(|text| Self::parse(&text)).map_err(|error| error.in_file(path))
    }

    /// Parses the text of a file.
    pub fn parse(json: &str) -> Result<Self, IncidentError> {
        parse(json)
    }
}

/// The text of a file of at most [`Incident::MAX_BYTES`].
fn text(path: &Path) -> Result<String, IncidentError> {
    let mut text = String::new();
    File::open(path)?.take(Incident::MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > Incident::MAX_BYTES {
        let limit = format!("at most {} bytes", Incident::MAX_BYTES);
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, limit).into());
    }
    Ok(text)
}

/// Parses the text of a file and validates all of it.
fn parse(json: &str) -> Result<Incident, IncidentError> {
    let raw: RawIncident = serde_json::from_str(json)?;
    let mut states = built_in()?;
    for (name, state) in raw.states {
        let behaviour = state.check(&format!("states.{name}"))?;
        states.insert(ProviderState::new(&name), behaviour);
    }
    let primary = phases("phases_min", &raw.phases_min, &states)?;
    let end = primary[primary.len() - 1].to;
    let secondary = match &raw.secondary_phases_min {
        Some(raw) => phases("secondary_phases_min", raw, &states)?,
        None => vec![IncidentPhase {
            from: Duration::ZERO,
            to: end,
            state: ProviderState::new("healthy"),
        }],
    };
    same_end(&secondary, end)?;
    let bounds = checked_bounds(raw.bounds)?;
    Ok(Incident {
        name: raw.name,
        source: raw.source,
        facts: raw.facts,
        note: raw.note,
        rate: rate(raw.rate)?,
        bounds,
        primary,
        secondary,
        states: Arc::new(states),
    })
}

fn checked_bounds(raw: BTreeMap<String, Bounds>) -> Result<BTreeMap<String, Bounds>, FieldError> {
    let checked = |(client, bounds): (String, Bounds)| {
        let bounds = bounds.check(&format!("bounds.{client}"))?;
        Ok((client, bounds))
    };
    raw.into_iter().map(checked).collect()
}

/// The behaviour of providers in the states that a file does not describe.
fn built_in() -> Result<States, IncidentError> {
    let raw: BTreeMap<String, RawState> =
        serde_json::from_str(include_str!("../incidents/states.json"))?;
    let state = |(name, raw): (String, RawState)| {
        let behaviour: Behaviour = raw.check(&format!("states.{name}"))?;
        Ok((ProviderState::new(&name), behaviour))
    };
    raw.into_iter().map(state).collect()
}

/// Validates the call rate. [`Scenario::rate`](crate::Scenario::rate) has the same range.
fn rate(rate: Option<f64>) -> Result<Option<f64>, FieldError> {
    match rate.filter(|rate| !(0.001..=1e6).contains(rate)) {
        Some(wrong) => Err(FieldError::new("rate", wrong, "0.001 to 1000000")),
        None => Ok(rate),
    }
}

fn phases(
    field: &str,
    raw: &[RawPhase],
    states: &States,
) -> Result<Vec<IncidentPhase>, FieldError> {
    if raw.is_empty() {
        return Err(FieldError::new(field, "[]", "at least one phase"));
    }
    let mut end = 0.0;
    let mut phases = Vec::with_capacity(raw.len());
    for (n, phase) in raw.iter().enumerate() {
        phases.push(phase.check(&format!("{field}[{n}]"), end, states)?);
        end = phase.to;
    }
    Ok(phases)
}

/// Both providers have phases up to the same minute.
fn same_end(secondary: &[IncidentPhase], end: Duration) -> Result<(), FieldError> {
    let last = secondary.len() - 1;
    let minutes = |time: Duration| time.as_secs_f64() / 60.0;
    if secondary[last].to == end {
        return Ok(());
    }
    let allowed = format!("{}, where phases_min ends", minutes(end));
    let field = format!("secondary_phases_min[{last}].to");
    Err(FieldError::new(field, minutes(secondary[last].to), allowed))
}

// === impl RawPhase ===

impl RawPhase {
    fn check(&self, field: &str, end: f64, states: &States) -> Result<IncidentPhase, FieldError> {
        if self.from != end {
            let before = if end == 0.0 { "the start" } else { "where the phase before it ends" };
            let allowed = format!("{end}, {before}");
            return Err(FieldError::new(format!("{field}.from"), self.from, allowed));
        }
        if self.to <= self.from || self.to > MAX_MINUTES {
            let allowed = format!("above {} (its from) and at most {MAX_MINUTES}", self.from);
            return Err(FieldError::new(format!("{field}.to"), self.to, allowed));
        }
        let state = ProviderState::new(&self.provider);
        if !states.contains_key(&state) {
            let names: Vec<_> = states.keys().map(ProviderState::name).collect();
            let allowed = format!("one of {}, or a name that states has", names.join(", "));
            return Err(FieldError::new(format!("{field}.provider"), &self.provider, allowed));
        }
        let minutes = |minutes: f64| Duration::from_secs_f64(minutes * 60.0);
        Ok(IncidentPhase { from: minutes(self.from), to: minutes(self.to), state })
    }
}
