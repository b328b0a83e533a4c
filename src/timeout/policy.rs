//! The configuration of the time limits.

use std::time::Duration;

use http::HeaderName;

use crate::{
    ConfigError,
    cold_start::COLD_START,
    stream::MinThroughput,
    time::{AnswerTimes, Limit, scale},
};

/// The time limits of one attempt, and of the gaps in a stream.
///
/// # Defaults
///
/// The defaults suit a bot with a waiting user:
///
/// - [`attempt`](Self::attempt): 20 s for an answer that is not streamed: about two thirds of the deadline, so that a silent
///   provider leaves time for another
/// - [`first_event`](Self::first_event): 20 s to the first content of a stream: a reasoning model is silent for that long before
///   its first word, and a shorter limit would treat that as an outage
/// - [`idle`](Self::idle): 15 s between two events with content: many times the pauses of any model
/// - [`stream_total`](Self::stream_total): none: a long answer that still makes progress is healthy
/// - [`min_events_per_minute`](Self::min_events_per_minute): none: one provider sends a word per event, another a paragraph, so a
///   useful value depends on the model
/// - [`cold_start`](Self::cold_start): 2 min for a local model that may have to be loaded
/// - [`header`](Self::header): none
///
/// The defaults of the first two are flexible: a shorter deadline of the profile bounds them, and at the last available target
/// they are extended to all the time that is left, since a late answer is worth more than none.
///
/// The connect timeout is set on the transport (`reqwest::ClientBuilder::connect_timeout`; 5 s is a usual value), since only the
/// transport knows when a connection is made. An attempt's limit includes it.
#[derive(Clone, Debug)]
pub struct TimeoutPolicy {
    pub(super) attempt: Limit,
    pub(super) first_event: Limit,
    pub(super) idle: Duration,
    pub(super) stream_total: Option<Duration>,
    pub(super) slow: Option<MinThroughput>,
    pub(super) header: Option<HeaderName>,
    pub(super) cold_start: Option<Duration>,
}

// === impl TimeoutPolicy ===

impl TimeoutPolicy {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The limits of an attempt: [`first_event`](Self::first_event) of a stream, and [`attempt`](Self::attempt) of an answer that
    /// is not streamed. For [`BreakerPolicy::attempt_limits`](crate::breaker::BreakerPolicy::attempt_limits).
    pub fn answer_times(&self) -> AnswerTimes {
        AnswerTimes { first_event: self.first_event.time(), whole_answer: self.attempt.time() }
    }

    /// The limit of one attempt at an answer that is not streamed, for the whole answer. Default: 20 s.
    #[must_use]
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = Limit::Set(limit);
        self
    }

    /// The limit of a stream until its first event with content. Default: 20 s.
    #[must_use]
    pub fn first_event(mut self, limit: Duration) -> Self {
        self.first_event = Limit::Set(limit);
        self
    }

    /// The longest gap between two events with content in a body that has begun. Comments, pings and role-only chunks are not
    /// content.
    #[must_use]
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// The limit of a whole stream, from the start of its attempt. Ends healthy long streams as well.
    #[must_use]
    pub fn stream_total(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.stream_total = limit.into();
        self
    }

    /// The number of events with content per minute below which a stream is slow. A slow stream is not ended, since its content
    /// is still useful: the breaker counts its call as slow
    /// ([`BreakerPolicy::slow_ratio`](crate::breaker::BreakerPolicy::slow_ratio)), so that later calls go elsewhere while too
    /// many are slow.
    ///
    /// Each minute of waiting for the provider is judged, and the last one in proportion to its length, from ten seconds on. Only
    /// the time during which the reader waits counts, so a slow reader makes no stream slow. A stream that is held back until it
    /// is complete is judged over all of its time since the first content.
    #[must_use]
    pub fn min_events_per_minute(mut self, events_a_minute: impl Into<Option<u32>>) -> Self {
        let per = Duration::from_secs(60);
        self.slow = events_a_minute.into().map(|events| MinThroughput { events, per });
        self
    }

    /// The header that carries the milliseconds left for the attempt to the upstream: until the whole answer, or until the first
    /// content of a stream. For gateways that make use of it.
    #[must_use]
    pub fn header(mut self, name: HeaderName) -> Self {
        self.header = Some(name);
        self
    }

    /// The time of an attempt at a model that may have to be loaded, in place of the limits above that are not set explicitly:
    /// that of a server with a private address or with the dialect of Ollama, which has not answered for 5 min or not at all.
    /// Such a server loads a model when it is first called, and aborts the load when the caller leaves. `None`: the same limits
    /// as for any other target. Default: 2 min.
    #[must_use]
    pub fn cold_start(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.cold_start = limit.into();
        self
    }

    /// The defaults without a waiting user: 5 min, 3 min and 60 s.
    pub(crate) fn pipeline() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            attempt: Limit::Default(5 * minute),
            first_event: Limit::Default(3 * minute),
            idle: minute,
            ..Self::default()
        }
    }

    /// Bounds the limits of an attempt that are not set explicitly by `time`, such as the deadline of the calls.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.attempt = self.attempt.within(time);
        self.first_event = self.first_event.within(time);
        self
    }

    pub(crate) fn scaled(mut self, by: f64) -> Self {
        self.attempt = self.attempt.map(|limit| scale(limit, by));
        self.first_event = self.first_event.map(|limit| scale(limit, by));
        self.idle = scale(self.idle, by);
        self.stream_total = self.stream_total.map(|whole| scale(whole, by));
        self.cold_start = self.cold_start.map(|limit| scale(limit, by));
        self.slow = self.slow.map(|least| MinThroughput { per: scale(least.per, by), ..least });
        self
    }

    /// Rejects invalid values, also in combination with the deadline of the pipeline.
    pub(crate) fn check(&self, deadline: Option<Duration>) -> Result<(), ConfigError> {
        for (field, limit) in self.fields() {
            more_than_zero(field, limit)?;
        }
        match self.slow {
            Some(least) if least.events == 0 || least.per.is_zero() => {
                let allowed = "at least 1 event a minute, or none";
                return Err(ConfigError::new(
                    "timeout.min_events_per_minute",
                    least.events,
                    allowed,
                ));
            }
            _ => (),
        }
        let within = [("timeout.attempt", self.attempt), ("timeout.first_event", self.first_event)];
        for (field, limit) in within {
            match deadline {
                Some(deadline) if limit.is_set() && limit.time() > deadline => {
                    let allowed = format!("at most the deadline, {deadline:?}");
                    return Err(ConfigError::new(field, limit.time(), allowed));
                }
                _ => (),
            }
        }
        // A default gives way to the deadline first.
        let first = deadline.map_or(self.first_event, |it| self.first_event.within(it)).time();
        match self.stream_total.filter(|whole| *whole < first) {
            Some(whole) => {
                let allowed = format!("at least timeout.first_event, {first:?}");
                Err(ConfigError::new("timeout.stream_total", whole, allowed))
            }
            None => Ok(()),
        }
    }

    fn fields(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        [
            ("timeout.attempt", Some(self.attempt.time())),
            ("timeout.first_event", Some(self.first_event.time())),
            ("timeout.idle", Some(self.idle)),
            ("timeout.stream_total", self.stream_total),
            ("timeout.cold_start", self.cold_start),
        ]
        .into_iter()
        .filter_map(|(field, limit)| limit.map(|limit| (field, limit)))
    }
}

impl Default for TimeoutPolicy {
    fn default() -> Self {
        Self {
            attempt: Limit::Default(Duration::from_secs(20)),
            first_event: Limit::Default(Duration::from_secs(20)),
            idle: Duration::from_secs(15),
            stream_total: None,
            slow: None,
            header: None,
            cold_start: Some(COLD_START),
        }
    }
}

pub(super) fn more_than_zero(field: &str, limit: Duration) -> Result<(), ConfigError> {
    if limit.is_zero() {
        return Err(ConfigError::new(field, limit, "more than 0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::DeadlinePolicy, *};

    const SECOND: Duration = Duration::from_secs(1);

    fn refused(policy: &TimeoutPolicy, deadline: Option<Duration>) -> String {
        policy.check(deadline).unwrap_err().field().to_owned()
    }

    #[test]
    fn the_defaults_are_allowed_together() {
        assert!(TimeoutPolicy::new().check(Some(DeadlinePolicy::new().limit)).is_ok());
        assert!(DeadlinePolicy::new().build().is_ok());
    }

    #[test]
    fn zero_is_refused_by_name() {
        let new = TimeoutPolicy::new;
        assert_eq!(refused(&new().attempt(Duration::ZERO), None), "timeout.attempt");
        assert_eq!(refused(&new().first_event(Duration::ZERO), None), "timeout.first_event");
        assert_eq!(refused(&new().idle(Duration::ZERO), None), "timeout.idle");
        assert_eq!(refused(&new().stream_total(Duration::ZERO), None), "timeout.stream_total");
        assert_eq!(refused(&new().min_events_per_minute(0), None), "timeout.min_events_per_minute");
        assert!(
            new().min_events_per_minute(1).build().is_ok()
                && new().min_events_per_minute(None).build().is_ok()
        );
        let error = DeadlinePolicy::new().limit(Duration::ZERO).build().unwrap_err();
        assert_eq!(error.to_string(), "deadline.limit is 0ns; allowed is more than 0");
    }

    #[test]
    fn an_attempt_is_at_most_the_deadline() {
        let attempt = |ms| TimeoutPolicy::new().attempt(Duration::from_millis(ms));
        assert!(attempt(30_000).check(Some(30 * SECOND)).is_ok());
        let three = attempt(3_000).first_event(SECOND);
        assert_eq!(refused(&three, Some(2 * SECOND)), "timeout.attempt");
        let first = TimeoutPolicy::new().attempt(SECOND).first_event(3 * SECOND);
        assert_eq!(refused(&first, Some(2 * SECOND)), "timeout.first_event");
    }

    #[test]
    fn a_whole_stream_that_is_shorter_than_its_beginning_is_refused() {
        assert_eq!(
            refused(&TimeoutPolicy::new().stream_total(SECOND), None),
            "timeout.stream_total"
        );
        assert!(TimeoutPolicy::new().stream_total(20 * SECOND).build().is_ok());
    }

    #[test]
    fn a_limit_that_was_not_set_gives_way_to_a_shorter_deadline() {
        assert!(TimeoutPolicy::new().check(Some(2 * SECOND)).is_ok());
        let times = |policy: TimeoutPolicy| {
            let TimeoutPolicy { attempt, first_event, .. } = policy.within(8 * SECOND);
            (attempt.time(), first_event.time())
        };
        assert_eq!(times(TimeoutPolicy::new()), (8 * SECOND, 8 * SECOND));
        assert_eq!(times(TimeoutPolicy::new().attempt(9 * SECOND)), (9 * SECOND, 8 * SECOND));
        assert_eq!(times(TimeoutPolicy::new().first_event(SECOND)), (8 * SECOND, SECOND));
    }
}
