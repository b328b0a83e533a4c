//! Plays the phases of an incident in less time.

use std::time::Duration;

use crate::incident::policy::{Incident, IncidentPhase};

/// A shorter time for the phases of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeCompression {
    /// The length of the whole incident.
    pub total: Duration,
    /// The length below which no phase is shortened.
    pub min_phase: Duration,
}

// === impl Incident ===

impl Incident {
    /// Shortens the incident to [`total`](TimeCompression::total). A phase that is shorter than
    /// [`min_phase`](TimeCompression::min_phase) keeps its length, and no other phase is shortened below it. Where there is no
    /// time for that, all phases have the same length.
    ///
    /// A phase of the secondary within a phase of the primary counts as a phase, so that both stay visible. Latencies do not
    /// change: see [`Scenario::scale`](crate::Scenario::scale).
    #[must_use]
    pub fn time_compress(&self, to: TimeCompression) -> Self {
        let map = TimeMap::new(self, to);
        let shorten = |phases: &[IncidentPhase]| {
            let short = |phase: &IncidentPhase| IncidentPhase {
                from: map.at(phase.from),
                to: map.at(phase.to),
                state: phase.state.clone(),
            };
            phases.iter().map(short).collect()
        };
        Self {
            primary: shorten(&self.primary),
            secondary: shorten(&self.secondary),
            ..self.clone()
        }
    }
}

/// Each time at which a phase begins or ends, with that time in the shorter incident.
struct TimeMap(Vec<(Duration, Duration)>);

// === impl TimeMap ===

impl TimeMap {
    fn new(incident: &Incident, to: TimeCompression) -> Self {
        let phases = incident.primary.iter().chain(&incident.secondary);
        let mut edges: Vec<_> = phases.flat_map(|phase| [phase.from, phase.to]).collect();
        edges.sort_unstable();
        edges.dedup();
        let lengths: Vec<_> =
            edges.windows(2).map(|edge| (edge[1] - edge[0]).as_secs_f64()).collect();
        let mut at = 0.0;
        let mut map = vec![(Duration::ZERO, Duration::ZERO)];
        for (n, short) in shorter(&lengths, to).enumerate() {
            at += short;
            map.push((edges[n + 1], Duration::from_secs_f64(at)));
        }
        // The sum of the parts is rounded; the end is exact.
        if let Some((_, end)) = map.last_mut() {
            *end = to.total;
        }
        Self(map)
    }

    fn at(&self, edge: Duration) -> Duration {
        let found = self.0.binary_search_by_key(&edge, |(long, _)| *long);
        found.map_or(Duration::ZERO, |n| self.0[n].1)
    }
}

/// The shorter lengths: each has its minimum, and of the rest a share in proportion to its length.
fn shorter(lengths: &[f64], to: TimeCompression) -> impl Iterator<Item = f64> + '_ {
    let total = to.total.as_secs_f64();
    let all: f64 = lengths.iter().sum();
    let floor = to.min_phase.as_secs_f64().min(total / lengths.len() as f64);
    let minimum = move |length: f64| floor.min(length);
    let rest = (total - lengths.iter().map(|length| minimum(*length)).sum::<f64>()).max(0.0);
    lengths.iter().map(move |length| minimum(*length) + rest * length / all)
}
