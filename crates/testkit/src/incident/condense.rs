//! The same story in less time.

use std::time::Duration;

use crate::incident::policy::{Incident, Phase};

// === impl Incident ===

impl Incident {
    /// The same story in `total`: each phase shortened, but not below `floor`, or below its own length where that is
    /// shorter; where the phases are too many for that, all get the same.
    ///
    /// A phase of the secondary that lies within one of the primary counts as a phase of its own, so that both stay
    /// visible. Latencies stay as they are: see [`Scenario::scale`](crate::Scenario::scale).
    #[must_use]
    pub fn condense(&self, total: Duration, floor: Duration) -> Self {
        let map = Map::new(self, total, floor);
        let shorten = |phases: &[Phase]| {
            let short = |phase: &Phase| Phase {
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

/// From a moment where a phase begins or ends to where it does in the shorter story.
struct Map(Vec<(Duration, Duration)>);

// === impl Map ===

impl Map {
    fn new(incident: &Incident, total: Duration, floor: Duration) -> Self {
        let phases = incident.primary.iter().chain(&incident.secondary);
        let mut edges: Vec<_> = phases.flat_map(|phase| [phase.from, phase.to]).collect();
        edges.sort_unstable();
        edges.dedup();
        let lengths: Vec<_> =
            edges.windows(2).map(|edge| (edge[1] - edge[0]).as_secs_f64()).collect();
        let mut at = 0.0;
        let mut map = vec![(Duration::ZERO, Duration::ZERO)];
        for (n, short) in shares(&lengths, total.as_secs_f64(), floor.as_secs_f64()).enumerate() {
            at += short;
            map.push((edges[n + 1], Duration::from_secs_f64(at)));
        }
        // No rounding at the end.
        if let Some((_, end)) = map.last_mut() {
            *end = total;
        }
        Self(map)
    }

    fn at(&self, edge: Duration) -> Duration {
        let found = self.0.binary_search_by_key(&edge, |(long, _)| *long);
        found.map_or(Duration::ZERO, |n| self.0[n].1)
    }
}

/// Each length's share of `total`: what it is sure of, and of the rest in proportion to its length.
fn shares(lengths: &[f64], total: f64, floor: f64) -> impl Iterator<Item = f64> + '_ {
    let all: f64 = lengths.iter().sum();
    let floor = floor.min(total / lengths.len() as f64);
    let sure = move |length: f64| floor.min(length);
    let rest = (total - lengths.iter().map(|length| sure(*length)).sum::<f64>()).max(0.0);
    lengths.iter().map(move |length| sure(*length) + rest * length / all)
}
