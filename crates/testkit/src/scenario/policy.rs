//! The settings of a scenario.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    Incident, Provider,
    incident::{Schedule, bounded_scale},
    scenario::{Harness, Report, metrics::Metrics},
};

/// An incident that is played against clients, with the same calls at the same times for each client.
///
/// # Defaults
///
/// See the [module](crate::scenario).
#[derive(Clone)]
pub struct Scenario {
    pub(super) incident: Incident,
    pub(super) seed: u64,
    pub(super) rate: f64,
    pub(super) scale: f64,
    pub(super) stream: bool,
    pub(super) words_per_event: usize,
    pub(super) arrivals: Arrivals,
    pub(super) bucket: Option<Duration>,
    pub(super) progress: Option<ProgressCallback>,
}

/// The function that is called with the progress.
pub(super) type ProgressCallback = Arc<dyn Fn(Progress) + Send + Sync>;

/// The process by which calls arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrivals {
    /// Independent of each other, as the calls of many people.
    #[default]
    Poisson,
    /// One call in each interval, at a random time within it.
    Even,
}

/// The progress of a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The calls made.
    pub made: u64,
    /// The calls of the whole scenario.
    pub calls: u64,
    /// The calls answered.
    pub answered: u64,
    /// The calls failed or hung.
    pub failed: u64,
    /// The time of the incident.
    pub at: Duration,
}

// === impl Scenario ===

impl Scenario {
    /// The largest number of calls, at every rate.
    pub const MAX_CALLS: usize = 1 << 20;

    /// A scenario of this incident with the defaults.
    pub fn new(incident: Incident) -> Self {
        Self {
            incident,
            seed: 0,
            rate: 60.0,
            scale: 1.0,
            stream: true,
            words_per_event: 6,
            arrivals: Arrivals::default(),
            bucket: None,
            progress: None,
        }
    }

    /// Sets the seed of everything that is drawn: arrivals, latencies, faults.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the calls a minute of the incident: 60 by default. Clamped to 0.001 to a million.
    #[must_use]
    pub fn rate(mut self, per_minute: f64) -> Self {
        self.rate = if per_minute.is_nan() { 60.0 } else { per_minute.clamp(0.001, 1e6) };
        self
    }

    /// Sets the seconds that a second of the incident lasts: at 0.1 the incident runs ten times as fast. Clamped to 0.001 to
    /// 1000. Scale the limits of the client under test by the same factor.
    #[must_use]
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = bounded_scale(scale);
        self
    }

    /// Sets whether requests ask for streams: true by default.
    #[must_use]
    pub fn stream(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }

    /// Sets the number of words of an event: 6 by default. 0 counts as 1.
    #[must_use]
    pub fn words_per_event(mut self, words: usize) -> Self {
        self.words_per_event = words.max(1);
        self
    }

    /// Sets the process by which calls arrive.
    #[must_use]
    pub fn arrivals(mut self, arrivals: Arrivals) -> Self {
        self.arrivals = arrivals;
        self
    }

    /// Sets the period of one point of the [`Series`](crate::scenario::Series): by default a 240th of the incident, at least a
    /// 10 000th.
    #[must_use]
    pub fn bucket(mut self, bucket: Duration) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Sets a function that runs after each call is made, and after each call ends once all are made.
    #[must_use]
    pub fn on_progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(callback));
        self
    }

    /// The incident.
    pub fn incident(&self) -> &Incident {
        &self.incident
    }

    /// Two new providers that follow the incident, for one client.
    pub fn harness(&self) -> Harness {
        let follow = |name, schedule: Schedule| {
            let schedule = schedule
                .seed(self.seed)
                .rate(self.rate)
                .scale(self.scale)
                .words_per_event(self.words_per_event);
            Provider::new(name).following(schedule)
        };
        Harness::new(
            follow("primary", self.incident.primary_schedule()),
            follow("secondary", self.incident.secondary_schedule()),
        )
    }

    /// The metrics of all clients.
    pub fn report(&self, clients: Vec<Metrics>) -> Report {
        let incident = self.incident.name().to_owned();
        let with_fallbacks = clients.iter().filter(|client| !client.fallbacks.is_empty());
        let fallbacks =
            with_fallbacks.map(|client| (client.name.clone(), client.fallbacks.clone())).collect();
        Report { incident, seed: self.seed, rate: self.rate, clients, fallbacks }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("incident", &self.incident.name())
            .field("seed", &self.seed)
            .field("rate", &self.rate)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}
