//! Converts the time of a condensed incident to the time of the original incident.

use std::time::Duration;

use super::plan::RunPlan;

/// Converts times of the played incident to times of the original incident.
#[derive(Clone, Debug)]
pub(crate) struct IncidentClock {
    /// Zero and the end of each phase, in order.
    edges: Vec<PhaseEdge>,
    condensed: bool,
    /// Whether labels show seconds.
    shows_seconds: bool,
}

/// The end of a phase in both incidents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct PhaseEdge {
    played: Duration,
    original: Duration,
}

/// A label of the time axis.
#[derive(Clone, Debug)]
pub(crate) struct AxisTick {
    /// The position, in seconds of the played incident.
    pub(crate) at: f64,
    /// The time of the original incident.
    pub(crate) label: String,
}

/// Possible distances between the labels of an axis, in seconds.
const TICK_DISTANCES: [u64; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 86_400];
/// The length of an incident below which labels show seconds.
const SHOW_SECONDS_BELOW: Duration = Duration::from_secs(20 * 60);

// === impl IncidentClock ===

impl IncidentClock {
    pub(crate) fn new(plan: &RunPlan) -> Self {
        let ends = |incident: &evenkeel_testkit::Incident| -> Vec<Duration> {
            let phases = incident.primary().iter().chain(incident.secondary());
            phases.map(|phase| phase.to).collect()
        };
        let both_ends = ends(&plan.played).into_iter().zip(ends(&plan.incident));
        let mut edges: Vec<_> =
            both_ends.map(|(played, original)| PhaseEdge { played, original }).collect();
        edges.push(PhaseEdge::default());
        edges.sort_unstable();
        edges.dedup();
        let shows_seconds = plan.incident.length() < SHOW_SECONDS_BELOW;
        Self { edges, condensed: plan.is_condensed(), shows_seconds }
    }

    /// The time of the original incident, interpolated within each phase.
    pub(crate) fn original(&self, played: Duration) -> Duration {
        let after = self.edges.partition_point(|edge| edge.played <= played).max(1);
        let from = self.edges[after - 1];
        let Some(to) = self.edges.get(after) else { return from.original };
        let part = (played - from.played).as_secs_f64() / (to.played - from.played).as_secs_f64();
        from.original + (to.original - from.original).mul_f64(part)
    }

    /// A time of the original incident with seconds, unless the incident is condensed: then its seconds are interpolated.
    pub(crate) fn exact_label(&self, original: Duration) -> String {
        let clock = Self { shows_seconds: self.shows_seconds || !self.condensed, ..self.clone() };
        clock.label(original)
    }

    /// A time of the original incident as hours and minutes, with seconds where the whole incident is short.
    pub(crate) fn label(&self, original: Duration) -> String {
        let seconds = original.as_secs_f64().round() as u64;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        match self.shows_seconds {
            true => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
            false => format!("{hours}:{minutes:02}"),
        }
    }

    /// At most `max` labels for an axis.
    ///
    /// The labels of a condensed incident stand at the ends of phases, because the time is not uniform across phases.
    pub(crate) fn ticks(&self, max: usize) -> Vec<AxisTick> {
        let end = self.edges[self.edges.len() - 1];
        if self.condensed {
            return self.phase_ticks(end.played.as_secs_f64() / max as f64);
        }
        let length = end.original.as_secs();
        let fits = |distance: &&u64| length / **distance < max as u64;
        let whole_days = length.div_ceil(86_400 * max as u64) * 86_400;
        let distance = TICK_DISTANCES.iter().find(fits).copied().unwrap_or(whole_days);
        let times = (0..).map(|n| n * distance).take_while(|time| *time <= length);
        let tick =
            |time| AxisTick { at: time as f64, label: self.label(Duration::from_secs(time)) };
        times.map(tick).collect()
    }

    /// Labels at the ends of phases, at least `min_distance` seconds apart.
    fn phase_ticks(&self, min_distance: f64) -> Vec<AxisTick> {
        let mut ticks: Vec<AxisTick> = Vec::new();
        for edge in &self.edges {
            let at = edge.played.as_secs_f64();
            if ticks.last().is_none_or(|last| at - last.at >= min_distance) {
                ticks.push(AxisTick { at, label: self.label(edge.original) });
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel_testkit::Incident;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn an_incident_at_full_length_keeps_its_times() {
        let plan = RunPlan::in_virtual_time(Incident::openai_2024_06_04(), 1, 60.0);
        let clock = IncidentClock::new(&plan);
        assert_eq!(clock.original(minutes(291)), minutes(291));
        let labels: Vec<_> = clock.ticks(12).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels[..3], ["0:00", "1:00", "2:00"]);
        assert_eq!(clock.ticks(6).len(), 6, "every two hours");
    }

    #[test]
    fn a_condensed_incident_is_labelled_with_the_original_times() {
        let plan = RunPlan::live(Incident::openai_2024_06_04(), 1, 60.0);
        let clock = IncidentClock::new(&plan);
        let ticks = clock.ticks(100);
        assert_eq!(ticks.len(), 11, "{ticks:?}");
        assert_eq!((ticks[3].label.as_str(), ticks[10].label.as_str()), ("1:00", "11:48"));
        for tick in &ticks {
            assert_eq!(clock.label(clock.original(Duration::from_secs_f64(tick.at))), tick.label);
        }
        assert_eq!(clock.original(minutes(999)), minutes(708));
        assert!(clock.ticks(5).len() <= 6, "the labels do not overlap");
    }
}
