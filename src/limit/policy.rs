//! The configuration of the limits.

use std::{borrow::Cow, time::Duration};

use super::AdaptivePolicy;
use crate::{ConfigError, context::Route, time::scale};

/// The limits of a route, and how long a call waits for its turn.
///
/// # Defaults
///
/// - [`concurrency`](Self::concurrency): unlimited
/// - [`requests`](Self::requests), [`tokens`](Self::tokens) per minute: unlimited, except for what the provider's headers report
/// - [`burst`](Self::burst): 5 s of the requests: a few people who ask at the same time do not wait, and a provider that counts
///   by the second does not get a minute's requests at once
/// - [`max_queue`](Self::max_queue): 1024 calls of each priority and route: at the limits of most keys, further calls would miss
///   any deadline
/// - [`batch_share`](Self::batch_share): 0.1, while interactive calls wait as well
/// - [`min_attempt_time`](Self::min_attempt_time): 1 s left for the attempt after the wait, as for a retry
/// - [`cooldown_without_hint`](Self::cooldown_without_hint): none, after a 429 that names no wait: each retry backs off by
///   itself, and no other call waits for a limit that may be over
#[derive(Clone, Debug, PartialEq)]
pub struct LimitPolicy {
    pub(super) concurrency: Concurrency,
    pub(super) requests: Option<u32>,
    pub(super) tokens: Option<u32>,
    pub(super) burst: Duration,
    pub(super) max_queue: usize,
    batch_share: f64,
    pub(super) min_attempt_time: Duration,
    pub(super) cooldown_without_hint: Option<Duration>,
    models: Vec<ModelPolicy>,
}

/// Other limits for the routes of one model.
#[derive(Clone, Debug, PartialEq)]
struct ModelPolicy {
    model: Box<str>,
    policy: LimitPolicy,
}

/// The largest number of attempts under way at a time. An attempt is under way until its body has ended.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Concurrency {
    /// No limit.
    #[default]
    Unlimited,
    /// This many, at least 1.
    Fixed(u32),
    /// As many as the provider answers without delay: measured by the time to the first event and by rejections.
    Adaptive(AdaptivePolicy),
}

// === impl LimitPolicy ===

impl LimitPolicy {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The largest number of attempts under way at a time.
    #[must_use]
    pub fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// The requests per minute that the route takes. A different number in the provider's headers overrides it.
    #[must_use]
    pub fn requests(mut self, per_minute: impl Into<Option<u32>>) -> Self {
        self.requests = per_minute.into();
        self
    }

    /// The tokens per minute that the route takes, of requests and answers together. A different number in the provider's headers
    /// overrides it.
    #[must_use]
    pub fn tokens(mut self, per_minute: impl Into<Option<u32>>) -> Self {
        self.tokens = per_minute.into();
        self
    }

    /// The requests that may be sent at once after an idle time: those of this duration, and at least one. At most a minute.
    ///
    /// The tokens of a minute may always be used at once: one call may need all of them.
    #[must_use]
    pub fn burst(mut self, burst: Duration) -> Self {
        self.burst = burst;
        self
    }

    /// The largest number of calls of one priority that wait on a route; further ones are refused. Zero: no call waits. A batch
    /// that fills the queue of its own priority refuses no interactive call.
    #[must_use]
    pub fn max_queue(mut self, calls: usize) -> Self {
        self.max_queue = calls;
        self
    }

    /// The share of the turns that goes to batch calls while interactive calls wait as well. Above 0, at most 0.5. It is rounded
    /// to one turn in a whole number: 0.1 is every tenth turn.
    #[must_use]
    pub fn batch_share(mut self, share: f64) -> Self {
        self.batch_share = share;
        self
    }

    /// The time that has to be left for the attempt after the wait; a call that would have less does not wait. If it exceeds all
    /// deadlines, no call waits.
    #[must_use]
    pub fn min_attempt_time(mut self, time: Duration) -> Self {
        self.min_attempt_time = time;
        self
    }

    /// The time for which a route is closed after a 429 that names no wait, if no header reported one either. Doubled by each
    /// such 429 in a row, up to 30 s.
    #[must_use]
    pub fn cooldown_without_hint(mut self, cooldown: impl Into<Option<Duration>>) -> Self {
        self.cooldown_without_hint = cooldown.into();
        self
    }

    /// Other limits for the routes of one model, named as in the request.
    #[must_use]
    pub fn model(mut self, model: &str, policy: LimitPolicy) -> Self {
        self.models.push(ModelPolicy { model: model.into(), policy });
        self
    }

    /// The limits of a route.
    pub(super) fn of(&self, route: &Route) -> &Self {
        let of_model = self.models.iter().find(|other| &*other.model == route.model());
        of_model.map_or(self, |other| &other.policy)
    }

    /// The limits of a route; none if it stands for several credentials, since a limit applies to one.
    pub(super) fn at(&self, route: &Route) -> Cow<'_, Self> {
        match route.is_shared() {
            true => Cow::Owned(self.without_limits()),
            false => Cow::Borrowed(self.of(route)),
        }
    }

    pub(crate) fn scaled(mut self, by: f64) -> Self {
        self.min_attempt_time = scale(self.min_attempt_time, by);
        self.cooldown_without_hint = self.cooldown_without_hint.map(|wait| scale(wait, by));
        let scaled = |other: ModelPolicy| ModelPolicy { policy: other.policy.scaled(by), ..other };
        self.models = self.models.into_iter().map(scaled).collect();
        self
    }

    /// The same policy without any limits.
    fn without_limits(&self) -> Self {
        Self { min_attempt_time: self.min_attempt_time, ..Self::default() }
    }

    /// One turn in this many goes to a batch call, while interactive calls wait as well.
    pub(super) fn batch_every(&self) -> u32 {
        (1.0 / self.batch_share).round() as u32
    }

    /// Rejects values that are not allowed.
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
        if self.max_queue > Self::MAX_QUEUE {
            let allowed = format!("at most {}", Self::MAX_QUEUE);
            return Err(ConfigError::new("limit.max_queue", self.max_queue, allowed));
        }
        if !(self.batch_share > 0.0 && self.batch_share <= 0.5) {
            let allowed = "above 0, at most 0.5: every other turn";
            return Err(ConfigError::new("limit.batch_share", self.batch_share, allowed));
        }
        self.check_cooldown()?;
        if let Some(other) = self.models.iter().find(|other| other.model.trim().is_empty()) {
            return Err(ConfigError::new("limit.model", &other.model, "the name of a model"));
        }
        self.models.iter().try_for_each(|other| other.policy.check())
    }

    fn check_cooldown(&self) -> Result<(), ConfigError> {
        let longest = Self::MAX_COOLDOWN_WITHOUT_HINT;
        let wrong = |wait: &Duration| wait.is_zero() || *wait > longest;
        if let Some(value) = self.cooldown_without_hint.filter(wrong) {
            let field = "limit.cooldown_without_hint";
            let allowed = format!("longer than zero, at most {longest:?}");
            return Err(ConfigError::new(field, value, allowed));
        }
        Ok(())
    }

    fn check_concurrency(&self) -> Result<(), ConfigError> {
        match &self.concurrency {
            Concurrency::Fixed(0) => Err(ConfigError::new("limit.concurrency", 0, "at least 1")),
            Concurrency::Adaptive(adaptive) => adaptive.check(),
            Concurrency::Fixed(_) | Concurrency::Unlimited => Ok(()),
        }
    }

    /// The largest [`max_queue`](Self::max_queue).
    pub const MAX_QUEUE: usize = 1 << 20;
    /// The longest [`cooldown_without_hint`](Self::cooldown_without_hint), also after several in a row.
    pub const MAX_COOLDOWN_WITHOUT_HINT: Duration = Duration::from_secs(30);
}

pub(super) const MINUTE: Duration = Duration::from_secs(60);

impl Default for LimitPolicy {
    fn default() -> Self {
        Self {
            concurrency: Concurrency::Unlimited,
            requests: None,
            tokens: None,
            burst: Duration::from_secs(5),
            max_queue: 1024,
            batch_share: 0.1,
            min_attempt_time: Duration::from_secs(1),
            cooldown_without_hint: None,
            models: Vec::new(),
        }
    }
}
