//! What is played, and how.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    Incident, Provider,
    incident::{Schedule, bounded_scale},
    scenario::{Report, Stage, figures::Figures},
};

/// An incident to be played against clients: the same calls at the same times for each of them.
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
    pub(super) progress: Option<Watcher>,
}

pub(super) type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// How calls come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrivals {
    /// At random, each without regard to the others, as calls of many people do.
    #[default]
    Poisson,
    /// One in each interval, anywhere within it.
    Even,
}

/// How far a drill has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// How many calls were made.
    pub made: u64,
    /// How many there are in all.
    pub calls: u64,
    /// How many of them were answered so far.
    pub answered: u64,
    /// How many of them failed or were given up so far.
    pub failed: u64,
    /// The time of the incident.
    pub at: Duration,
}

// === impl Scenario ===

impl Scenario {
    /// The most calls that are made, whatever the rate.
    pub const MAX_CALLS: usize = 1 << 20;

    /// This incident, with the defaults.
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

    /// The seed of everything that is drawn: arrivals, latencies, faults.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The calls a minute of the incident: 60 by default. Kept within 0.001 and a million.
    #[must_use]
    pub fn rate(mut self, per_minute: f64) -> Self {
        self.rate = if per_minute.is_nan() { 60.0 } else { per_minute.clamp(0.001, 1e6) };
        self
    }

    /// How long a second of the incident lasts, in seconds: at 0.1 everything runs ten times as fast. Kept within 0.001
    /// and 1000. The limits of the client under test have to be scaled alike.
    #[must_use]
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = bounded_scale(scale);
        self
    }

    /// Whether the answers are asked for as streams: yes by default.
    #[must_use]
    pub fn stream(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }

    /// How many words an event of a stream has: 6 by default; 0 is taken for 1.
    #[must_use]
    pub fn words_per_event(mut self, words: usize) -> Self {
        self.words_per_event = words.max(1);
        self
    }

    /// How calls come.
    #[must_use]
    pub fn arrivals(mut self, arrivals: Arrivals) -> Self {
        self.arrivals = arrivals;
        self
    }

    /// The stretch of time that one point of the [`Series`](crate::scenario::Series) is over: by default a 240th of
    /// the incident; at least a 10 000th.
    #[must_use]
    pub fn bucket(mut self, bucket: Duration) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Calls that after each call was made, and after each one that ended when all had been made.
    #[must_use]
    pub fn on_progress(mut self, watch: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(watch));
        self
    }

    /// The incident.
    pub fn incident(&self) -> &Incident {
        &self.incident
    }

    /// Two fresh providers that follow the incident, for one client.
    pub fn stage(&self) -> Stage {
        let follow = |name, schedule: Schedule| {
            let schedule = schedule
                .seed(self.seed)
                .rate(self.rate)
                .scale(self.scale)
                .words_per_event(self.words_per_event);
            Provider::new(name).following(schedule)
        };
        Stage::new(
            follow("primary", self.incident.primary_schedule()),
            follow("secondary", self.incident.secondary_schedule()),
        )
    }

    /// The figures of all clients, as one object.
    pub fn report(&self, clients: Vec<Figures>) -> Report {
        let incident = self.incident.name().to_owned();
        let told = clients.iter().filter(|client| !client.rungs.is_empty());
        let rungs = told.map(|client| (client.name.clone(), client.rungs.clone())).collect();
        Report { incident, seed: self.seed, rate: self.rate, clients, rungs }
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drill")
            .field("incident", &self.incident.name())
            .field("seed", &self.seed)
            .field("rate", &self.rate)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}
