//! Validates the policy of a breaker.

use std::{ops::RangeInclusive, time::Duration};

use super::{BreakerPolicy, Rule};
use crate::{ConfigError, time::AnswerTimes};

// === impl BreakerPolicy ===

impl BreakerPolicy {
    /// Rejects values that would never open, never close or have no meaning.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        const COUNT: RangeInclusive<u32> = 1..=u32::MAX;
        count("consecutive_failures", self.consecutive_failures.map_or(1, Rule::value), COUNT)?;
        count("unauthorized", self.unauthorized.map_or(1, Rule::value), COUNT)?;
        share("failure_ratio", self.failure_ratio.map_or(1.0, Rule::value))?;
        share("slow_ratio", self.slow_ratio.unwrap_or(1.0))?;
        count("min_calls", self.min_calls, COUNT)?;
        at_least("window", self.window, Duration::from_millis(10))?;
        range("open_backoff", &self.open_backoff, Duration::from_millis(1))?;
        range("quota_backoff", &self.quota_backoff, *self.open_backoff.start())?;
        count("max_probes", self.max_probes, 1..=Self::MAX_PROBES)?;
        count("probe_successes", self.probe_successes, COUNT)?;
        if let Some(limit) = self.probe_timeout {
            at_least("probe_timeout", limit, self.max_time_not_slow())?;
        }
        share("ramp", self.initial_share)?;
        if !(0.0..1.0).contains(&self.jitter) {
            return Err(ConfigError::new("breaker.jitter", self.jitter, "0 or more, below 1"));
        }
        Ok(())
    }

    /// A probe that is not slow must not be considered hung either.
    fn max_time_not_slow(&self) -> Duration {
        match self.slow_after.filter(|_| self.slow_ratio.is_some()) {
            Some(slow) => slow.first_event.max(slow.whole_answer),
            None => Duration::from_millis(1),
        }
    }

    /// Rejects explicit times that cannot work with the limits of the attempts.
    pub(crate) fn check_fitted(&self) -> Result<(), ConfigError> {
        let AnswerTimes { first_event: first, whole_answer: whole } = self.limits;
        if let Some(limit) = self.probe_timeout {
            at_least("probe_timeout", limit, first.max(whole))?;
        }
        let Some(slow) = self.slow_after.filter(|_| self.slow_ratio.is_some()) else {
            return Ok(());
        };
        for (value, limit) in [(slow.first_event, first), (slow.whole_answer, whole)] {
            if value > limit {
                let allowed = format!("at most the limit of the attempt, {limit:?}");
                return Err(ConfigError::new("breaker.slow_after", value, allowed));
            }
        }
        Ok(())
    }
}

fn count(field: &str, value: u32, allowed: RangeInclusive<u32>) -> Result<(), ConfigError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let allowed = match (allowed.start(), allowed.end()) {
        (from, &u32::MAX) => format!("{from} or more"),
        (from, to) => format!("{from} to {to}"),
    };
    Err(ConfigError::new(format!("breaker.{field}"), value, allowed))
}

/// Rejects a share outside `(0, 1]`: zero would always open or admit no call, above one would never open. Also rejects NaN.
fn share(field: &str, value: f64) -> Result<(), ConfigError> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(ConfigError::new(format!("breaker.{field}"), value, "above 0, at most 1"))
}

/// Checks that the start of a range is at least `min`, and its end at least its start.
fn range(field: &str, range: &RangeInclusive<Duration>, min: Duration) -> Result<(), ConfigError> {
    at_least(field, *range.start(), min)?;
    at_least(field, *range.end(), *range.start())
}

fn at_least(field: &str, value: Duration, least: Duration) -> Result<(), ConfigError> {
    if value >= least {
        return Ok(());
    }
    Err(ConfigError::new(format!("breaker.{field}"), value, format!("{least:?} or more")))
}
