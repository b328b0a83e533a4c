//! What the limits are set to.

use std::time::Duration;

use super::{AdaptivePolicy, LimitLayer};
use crate::{ConfigError, context::Route, time::scale};

/// How much may be asked of a route, and how long a call waits for its turn.
///
/// # Defaults
///
/// - [`concurrency`](Self::concurrency): unlimited
/// - [`requests`](Self::requests), [`tokens`](Self::tokens) a minute: unlimited, but for what the provider's headers tell
/// - [`burst`](Self::burst): 5 s, of the requests: a few people who ask at one moment do not wait, and a provider that
///   counts by the second is not hit by a minute's worth at once
/// - [`queue`](Self::queue): 1024 calls of each priority a route: more have no chance within any deadline, at the limits most keys have
/// - [`batch`](Self::batch): every 10th, while interactive calls wait as well
/// - [`least`](Self::least): 1 s left for the attempt after the wait, as for a retry
/// - [`pause`](Self::pause): none, after a 429 that names no wait: each retry backs off by itself, and nobody else waits
///   for what may be over
#[derive(Clone, Debug)]
pub struct LimitPolicy {
    pub(super) concurrency: Concurrency,
    pub(super) requests: Option<u32>,
    pub(super) tokens: Option<u32>,
    pub(super) burst: Duration,
    pub(super) queue: usize,
    pub(super) batch: u32,
    pub(super) least: Duration,
    pub(super) pause: Option<Duration>,
    models: Vec<(Box<str>, LimitPolicy)>,
}

/// How many attempts may be under way at a time, each until its body has ended.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Concurrency {
    /// As many as there are.
    #[default]
    Unlimited,
    /// So many, at least one.
    Fixed(u32),
    /// As many as the provider answers without delay: found by trying, on the time to the first event and on refusals.
    Adaptive(AdaptivePolicy),
}

// === impl LimitPolicy ===

impl LimitPolicy {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many attempts may be under way at a time.
    #[must_use]
    pub fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// How many requests a minute the route takes. Where the provider's headers tell another number, theirs holds.
    #[must_use]
    pub fn requests(mut self, per_minute: impl Into<Option<u32>>) -> Self {
        self.requests = per_minute.into();
        self
    }

    /// How many tokens a minute the route takes, of requests and answers together. Where the provider's headers tell another
    /// number, theirs holds.
    #[must_use]
    pub fn tokens(mut self, per_minute: impl Into<Option<u32>>) -> Self {
        self.tokens = per_minute.into();
        self
    }

    /// How much of the requests may be used at once when some were left unused: that much time's worth, and at least one
    /// request. At most a minute.
    ///
    /// A minute's worth of tokens may always be used at once: one call may need that many.
    #[must_use]
    pub fn burst(mut self, burst: Duration) -> Self {
        self.burst = burst;
        self
    }

    /// How many calls may wait on a route; one more is refused. Zero: nobody waits. Each priority has so many places: a
    /// batch that fills its own refuses nobody who goes before it.
    #[must_use]
    pub fn queue(mut self, calls: usize) -> Self {
        self.queue = calls;
        self
    }

    /// The share of batch calls while interactive ones wait as well: every how-manieth turn is theirs. At least 2.
    #[must_use]
    pub fn batch(mut self, every: u32) -> Self {
        self.batch = every;
        self
    }

    /// The time that has to be left for the attempt after the wait; a call that would have less does not wait. Where no
    /// deadline is as long, nobody waits.
    #[must_use]
    pub fn least(mut self, least: Duration) -> Self {
        self.least = least;
        self
    }

    /// How long a route is left alone after a 429 that names no wait, where no header told of it; doubled by each in a row,
    /// up to 30 s.
    #[must_use]
    pub fn pause(mut self, pause: impl Into<Option<Duration>>) -> Self {
        self.pause = pause.into();
        self
    }

    /// Other limits for the routes of one model, named as in the request.
    #[must_use]
    pub fn model(mut self, model: &str, policy: LimitPolicy) -> Self {
        self.models.push((model.into(), policy));
        self
    }

    /// The limits of a route.
    pub(super) fn of(&self, route: &Route) -> &Self {
        let of_model = self.models.iter().find(|(model, _)| &**model == route.model());
        of_model.map_or(self, |(_, policy)| policy)
    }

    pub(crate) fn scaled(mut self, by: f64) -> Self {
        self.least = scale(self.least, by);
        self.pause = self.pause.map(|pause| scale(pause, by));
        self.models = self.models.into_iter().map(|(name, it)| (name, it.scaled(by))).collect();
        self
    }

    /// The layer.
    ///
    /// # Errors
    ///
    /// Where a value cannot be meant; the error names the field, the value and what is allowed.
    pub fn build(self) -> Result<LimitLayer, ConfigError> {
        self.check()?;
        Ok(LimitLayer::new(self))
    }

    /// For calls of many credentials that there is no room for one by one: a limit is one credential's, so that there is none.
    pub(super) fn of_many(&self) -> Self {
        Self { least: self.least, ..Self::default() }
    }

    /// Refuses what cannot be meant.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_concurrency()?;
        for (field, limit) in [("limit.requests", self.requests), ("limit.tokens", self.tokens)] {
            if limit == Some(0) {
                return Err(ConfigError::new(field, 0, "at least 1, or none"));
            }
        }
        if self.burst > MINUTE {
            return Err(ConfigError::new("limit.burst", self.burst, "at most a minute"));
        }
        if self.queue > Self::LONGEST {
            let allowed = format!("at most {}", Self::LONGEST);
            return Err(ConfigError::new("limit.queue", self.queue, allowed));
        }
        if self.batch < 2 {
            let allowed = "at least 2: every other turn";
            return Err(ConfigError::new("limit.batch", self.batch, allowed));
        }
        if self.pause.is_some_and(|pause| pause.is_zero() || pause > Self::LONGEST_PAUSE) {
            let allowed = format!("longer than zero, at most {:?}", Self::LONGEST_PAUSE);
            return Err(ConfigError::new("limit.pause", self.pause, allowed));
        }
        self.models.iter().try_for_each(|(_, policy)| policy.check())
    }

    fn check_concurrency(&self) -> Result<(), ConfigError> {
        match &self.concurrency {
            Concurrency::Fixed(0) => Err(ConfigError::new("limit.concurrency", 0, "at least 1")),
            Concurrency::Adaptive(adaptive) => adaptive.check(),
            Concurrency::Fixed(_) | Concurrency::Unlimited => Ok(()),
        }
    }

    /// The longest queue that may be set.
    pub const LONGEST: usize = 1 << 20;
    /// The longest pause after rate limits that name no wait.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);
}

pub(super) const MINUTE: Duration = Duration::from_secs(60);

impl Default for LimitPolicy {
    fn default() -> Self {
        Self {
            concurrency: Concurrency::Unlimited,
            requests: None,
            tokens: None,
            burst: Duration::from_secs(5),
            queue: 1024,
            batch: 10,
            least: Duration::from_secs(1),
            pause: None,
            models: Vec::new(),
        }
    }
}
