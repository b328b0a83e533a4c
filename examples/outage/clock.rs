//! The time of the day that was, for a day that is played shorter.

use std::time::Duration;

use super::plan::Plan;

/// From the time that is played to the time of the day.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// The ends of phases: as they are played, and as they were.
    edges: Vec<(Duration, Duration)>,
    condensed: bool,
    seconds: bool,
}

/// Steps between the labels of an axis, in seconds.
const STEPS: [u64; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 86_400];
/// Below this an axis needs seconds.
const SHORT: Duration = Duration::from_secs(20 * 60);

// === impl Clock ===

impl Clock {
    pub(crate) fn new(plan: &Plan) -> Self {
        let ends = |incident: &evenkeel_testkit::Incident| -> Vec<Duration> {
            let phases = incident.primary().iter().chain(incident.secondary());
            phases.map(|phase| phase.to).collect()
        };
        let mut edges: Vec<_> = ends(&plan.played).into_iter().zip(ends(&plan.day)).collect();
        edges.push((Duration::ZERO, Duration::ZERO));
        edges.sort_unstable();
        edges.dedup();
        Self { edges, condensed: plan.is_condensed(), seconds: plan.day.length() < SHORT }
    }

    /// When that was.
    pub(crate) fn day(&self, played: Duration) -> Duration {
        let after = self.edges.partition_point(|edge| edge.0 <= played).max(1);
        let from = self.edges[after - 1];
        let Some(to) = self.edges.get(after) else { return from.1 };
        let part = (played - from.0).as_secs_f64() / (to.0 - from.0).as_secs_f64();
        from.1 + (to.1 - from.1).mul_f64(part)
    }

    /// Hours and minutes; with seconds where the whole incident is short.
    pub(crate) fn label(&self, day: Duration) -> String {
        let seconds = day.as_secs_f64().round() as u64;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        match self.seconds {
            true => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
            false => format!("{hours}:{minutes:02}"),
        }
    }

    /// The labels of an axis, at most so many: where they stand in the time that is played, in seconds, and what they
    /// say. Where phases are condensed they stand at their ends, since nothing is even in between.
    pub(crate) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let (played, day) = self.edges[self.edges.len() - 1];
        if self.condensed {
            return self.ends(played.as_secs_f64() / most as f64);
        }
        let long = |step: &&u64| day.as_secs() / **step < most as u64;
        let days = day.as_secs().div_ceil(86_400 * most as u64) * 86_400;
        let step = STEPS.iter().find(long).copied().unwrap_or(days);
        let times = (0..).map(|n| n * step).take_while(|time| *time <= day.as_secs());
        times.map(|time| (time as f64, self.label(Duration::from_secs(time)))).collect()
    }

    /// The ends of phases that are at least so many seconds apart.
    fn ends(&self, apart: f64) -> Vec<(f64, String)> {
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for (played, day) in &self.edges {
            let at = played.as_secs_f64();
            if ticks.last().is_none_or(|last| at - last.0 >= apart) {
                ticks.push((at, self.label(*day)));
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel_testkit::Incident;

    fn clock(live: bool) -> Clock {
        Clock::new(&Plan::new(Incident::openai_2024_06_04(), live, (1, 60.0)))
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn a_day_at_full_length_is_its_own_time() {
        let clock = clock(false);
        assert_eq!(clock.day(minutes(291)), minutes(291));
        let labels: Vec<_> = clock.ticks(12).into_iter().map(|tick| tick.1).collect();
        assert_eq!(labels[..3], ["0:00", "1:00", "2:00"]);
        assert_eq!(clock.ticks(6).len(), 6, "every two hours");
    }

    #[test]
    fn a_condensed_day_tells_when_it_was() {
        let clock = clock(true);
        let ticks = clock.ticks(100);
        assert_eq!(ticks.len(), 11, "{ticks:?}");
        assert_eq!((ticks[3].1.as_str(), ticks[10].1.as_str()), ("1:00", "11:48"));
        for (at, label) in &ticks {
            assert_eq!(clock.label(clock.day(Duration::from_secs_f64(*at))), *label);
        }
        assert_eq!(clock.day(minutes(999)), minutes(708));
        assert!(clock.ticks(5).len() <= 6, "they keep apart");
    }
}
