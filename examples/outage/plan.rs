//! The plan of one run: the incident, the clock and the load.

use std::time::Duration;

use evenkeel_testkit::{Incident, Scenario, incident::TimeCompression};

use super::clients::Setting;

/// The plan of one run.
#[derive(Clone, Debug)]
pub(crate) struct RunPlan {
    /// The incident at full length.
    pub(crate) incident: Incident,
    /// The incident that is played: condensed where the run is live and the incident is long.
    pub(crate) played: Incident,
    /// Whether the run uses sockets and the real clock instead of the process and virtual time.
    pub(crate) live: bool,
    /// Whether evenkeel runs without a fallback.
    pub(crate) alone: bool,
    /// The seed of all random numbers.
    pub(crate) seed: u64,
    /// Calls per minute of the incident.
    pub(crate) rate: f64,
}

/// The length to which a live run condenses an incident, in the time of the incident.
pub(crate) const CONDENSED_LENGTH: Duration = Duration::from_secs(400);
/// The length up to which a phase is not shortened, so that a breaker can recover within the phase.
pub(crate) const MIN_PHASE: Duration = Duration::from_secs(15);
/// The seconds that a second of the incident lasts in a live run.
pub(crate) const LIVE_SCALE: f64 = 0.1;

// === impl RunPlan ===

impl RunPlan {
    /// A run over sockets. An incident longer than [`CONDENSED_LENGTH`] is condensed.
    pub(crate) fn live(incident: Incident, seed: u64, rate: f64) -> Self {
        let played = if incident.length() > CONDENSED_LENGTH {
            incident
                .time_compress(TimeCompression { total: CONDENSED_LENGTH, min_phase: MIN_PHASE })
        } else {
            incident.clone()
        };
        Self { incident, played, live: true, alone: false, seed, rate }
    }

    /// A run in virtual time. The incident is played at full length.
    pub(crate) fn in_virtual_time(incident: Incident, seed: u64, rate: f64) -> Self {
        let played = incident.clone();
        Self { incident, played, live: false, alone: false, seed, rate }
    }

    /// Sets whether evenkeel runs without a fallback. The default is `false`.
    pub(crate) fn alone(self, alone: bool) -> Self {
        Self { alone, ..self }
    }

    /// Whether the played incident is shorter than the original.
    pub(crate) fn is_condensed(&self) -> bool {
        self.played.length() != self.incident.length()
    }

    /// The seconds that a second of the incident lasts.
    pub(crate) fn scale(&self) -> f64 {
        if self.live { LIVE_SCALE } else { 1.0 }
    }

    /// The settings of the clients.
    pub(crate) fn setting(&self) -> Setting {
        Setting { seed: self.seed, scale: self.scale() }
    }

    /// The scenario that each client plays.
    pub(crate) fn scenario(&self) -> Scenario {
        let length = self.played.length();
        let calls = self.rate * length.as_secs_f64() / 60.0;
        // About 25 calls for each point of a plot, so that random variation does not hide the trend.
        let points = (calls / 25.0).clamp(40.0, 240.0);
        Scenario::new(self.played.clone())
            .seed(self.seed)
            .rate(self.rate)
            .scale(self.scale())
            .bucket(length.div_f64(points))
    }
}
