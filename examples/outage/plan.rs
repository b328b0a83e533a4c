//! What is played.

use std::time::Duration;

use evenkeel_testkit::{Incident, Scenario};

use super::clients::Setting;

/// What is played, and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The day as it was.
    pub(crate) day: Incident,
    /// The day as it is played.
    pub(crate) played: Incident,
    /// Over sockets and condensed, instead of in process and virtual time.
    pub(crate) live: bool,
    /// Whether evenkeel has no fallback.
    pub(crate) alone: bool,
    /// The seed of everything that is drawn.
    pub(crate) seed: u64,
    /// Calls a minute of the incident.
    pub(crate) rate: f64,
}

/// How long a condensed day is, in its own time.
pub(crate) const LONGEST: Duration = Duration::from_secs(400);
/// How short its phases get: long ones stay long enough to see a breaker come back in them.
pub(crate) const FLOOR: Duration = Duration::from_secs(15);
/// How long a second of a live run lasts.
pub(crate) const SCALE: f64 = 0.1;

// === impl Plan ===

impl Plan {
    /// A live run is condensed, unless the incident is short by itself.
    pub(crate) fn new(day: Incident, live: bool, (seed, rate): (u64, f64)) -> Self {
        let is_long = live && day.length() > LONGEST;
        let played = if is_long { day.condense(LONGEST, FLOOR) } else { day.clone() };
        Self { day, played, live, alone: false, seed, rate }
    }

    /// Whether evenkeel is played without a fallback.
    pub(crate) fn alone(self, alone: bool) -> Self {
        Self { alone, ..self }
    }

    /// Whether the phases are shorter than they were.
    pub(crate) fn is_condensed(&self) -> bool {
        self.played.length() != self.day.length()
    }

    /// How long a second of the incident lasts.
    pub(crate) fn scale(&self) -> f64 {
        if self.live { SCALE } else { 1.0 }
    }

    /// How the clients are set.
    pub(crate) fn setting(&self) -> Setting {
        Setting { seed: self.seed, scale: self.scale() }
    }

    /// The drill.
    pub(crate) fn drill(&self) -> Scenario {
        let length = self.played.length();
        let calls = self.rate * length.as_secs_f64() / 60.0;
        // Enough calls in each point of a plot that chance does not hide what there is to see.
        let points = (calls / 25.0).clamp(40.0, 240.0);
        Scenario::new(self.played.clone())
            .seed(self.seed)
            .rate(self.rate)
            .scale(self.scale())
            .bucket(length.div_f64(points))
    }
}
