//! The configuration of retries.

use std::time::Duration;

use super::{
    Budget, Budgets,
    backoff::{Exponential, LEAST_WAIT, Schedule},
};
use crate::{ConfigError, time::Limit, time::scale};

/// When the same request is sent to the same route again, and the wait before it.
///
/// # Defaults
///
/// The defaults suit a bot with a waiting user:
///
/// - [`retries`](Self::retries): 2, as in the official SDKs of OpenAI and Anthropic
/// - [`base`](Self::base): 250 ms, [`factor`](Self::factor): 2, [`max_backoff`](Self::max_backoff): 4 s, with full jitter
/// - [`max_hint`](Self::max_hint): 120 s, the limit up to which OpenAI's own client follows `Retry-After`
/// - [`min_attempt_time`](Self::min_attempt_time): 1 s left for the attempt after the wait, or a tenth of the call's time
/// - [`budget_ratio`](Self::budget_ratio): 20 % extra attempts and one for each answer
/// - [`budget_reserve`](Self::budget_reserve): 10
/// - [`resend_bytes`](Self::resend_bytes): 32 MiB, or four times the body if that is more
/// - no [`seed`](Self::seed): jitter differs in every process
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// `None`: as many as the schedule has.
    pub(super) retries: Option<u32>,
    pub(super) backoff: Exponential,
    pub(super) schedule: Option<Schedule>,
    pub(super) max_hint: Duration,
    pub(super) min_attempt_time: Limit,
    pub(super) seed: Option<u64>,
    pub(super) budget_ratio: f64,
    pub(super) budget_reserve: u32,
    pub(super) budgets: Option<Budgets>,
    /// `None`: no limit.
    pub(super) resend_bytes: Option<u64>,
}

// === impl RetryPolicy ===

impl RetryPolicy {
    /// The largest number of [`retries`](Self::retries).
    pub const MAX_RETRIES: u32 = 100;

    /// The largest cap of a backoff.
    const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most attempts after the first, at most 100. 0: none. The fallbacks of a call may together make this many further attempts.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The longest wait before the first retry; each later one is longer by [`factor`](Self::factor). Default: 250 ms.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.backoff.base = base;
        self
    }

    /// The factor by which each wait may be longer than the previous one; 1 or more.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.backoff.factor = factor;
        self
    }

    /// The longest wait before any retry, if the provider named none. Default: 4 s.
    #[must_use]
    pub fn max_backoff(mut self, cap: Duration) -> Self {
        self.backoff.cap = cap;
        self
    }

    /// The longest wait that a provider can impose: a longer hint is cut to this value. Default: 120 s.
    #[must_use]
    pub fn max_hint(mut self, longest: Duration) -> Self {
        self.max_hint = longest;
        self
    }

    /// The time that an attempt needs: there is no retry if less would be left until the deadline after the wait.
    ///
    /// Faster models take about a second to their first word; an attempt with less time is billed and discarded.
    #[must_use]
    pub fn min_attempt_time(mut self, least: Duration) -> Self {
        self.min_attempt_time = Limit::Set(least);
        self
    }

    /// The share of a retry that each first attempt adds to the budget: more than 0, at most 1. See [`Budget`].
    #[must_use]
    pub fn budget_ratio(mut self, share: f64) -> Self {
        self.budget_ratio = share;
        self
    }

    /// The retries that a route has in reserve, for the start and for short outages: 1 to [`Budget::MAX_RESERVE`]. See
    /// [`Budget`].
    #[must_use]
    pub fn budget_reserve(mut self, reserve: u32) -> Self {
        self.budget_reserve = reserve;
        self
    }

    /// Draws on these budgets, shared with other layers, instead of its own. They keep their own
    /// [`budget_ratio`](Self::budget_ratio) and [`budget_reserve`](Self::budget_reserve).
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = Some(budgets);
        self
    }

    /// The bytes of request that one call may send again, over all its targets, retries and waits; `None` for no limit. 32 MiB by
    /// default.
    ///
    /// The first attempt is free. Each further one costs the bytes of its body, and is not sent unless they are left; what no target
    /// received is given back. The limit is never less than four times the body, so that a call of any size can have four further
    /// attempts, of which one quarter may be retries on the same route: the rest is for other targets. 256 KiB come back each
    /// second, so that a call that waits for recovery keeps trying, more rarely the larger it is. A small call never notices: with a
    /// body of 100 KiB there are 327 further attempts.
    #[must_use]
    pub fn resend_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.resend_bytes = bytes.into();
        self
    }

    /// Waits by a custom schedule: any iterator of durations, created for each call at its first retry. The end of the iterator
    /// ends the retries.
    ///
    /// It replaces [`base`](Self::base), [`factor`](Self::factor), [`max_backoff`](Self::max_backoff) and the jitter, and removes
    /// the limit on [`retries`](Self::retries): call that afterwards to have both. The other rules apply: a hint is a floor, no
    /// wait is below 50 ms, and the deadline and the budget end the retries of an endless schedule.
    ///
    /// The builders of [`backon`](https://docs.rs/backon) can be used directly:
    ///
    /// ```
    /// use std::time::Duration;
    /// use backon::{BackoffBuilder, ExponentialBuilder};
    /// use evenkeel::retry::RetryPolicy;
    ///
    /// let backoff = ExponentialBuilder::default()
    ///     .with_min_delay(Duration::from_millis(100))
    ///     .with_max_times(3)
    ///     .with_jitter();
    /// let policy = RetryPolicy::new().schedule(move || backoff.build());
    /// # policy.build().expect("as it is");
    /// ```
    #[must_use]
    pub fn schedule<F, I>(mut self, make: F) -> Self
    where
        F: Fn() -> I + Send + Sync + 'static,
        I: Iterator<Item = Duration> + Send + 'static,
    {
        self.schedule = Some(Schedule::new(make));
        self.retries = None;
        self
    }

    /// Makes the jitter the same in every run, for tests.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The base and the cap of the backoff.
    #[cfg(feature = "serde")]
    pub(crate) fn waits(&self) -> (Duration, Duration) {
        (self.backoff.base, self.backoff.cap)
    }

    /// Does not scale a custom schedule.
    pub(crate) fn scaled(mut self, by: f64) -> Self {
        self.backoff.base = scale(self.backoff.base, by);
        self.backoff.cap = scale(self.backoff.cap, by);
        self.max_hint = scale(self.max_hint, by).max(LEAST_WAIT);
        self.min_attempt_time = self.min_attempt_time.map(|least| scale(least, by));
        self
    }

    /// Rejects invalid values, also in combination with the deadline of the pipeline.
    pub(crate) fn check(&self, deadline: Option<Duration>) -> Result<(), ConfigError> {
        let Exponential { base, factor, cap } = self.backoff;
        if let Some(retries) = self.retries.filter(|retries| *retries > Self::MAX_RETRIES) {
            let allowed = format!("at most {}", Self::MAX_RETRIES);
            return Err(ConfigError::new("retry.retries", retries, allowed));
        }
        if base.is_zero() || base > cap {
            let allowed = format!("more than 0 and at most retry.max_backoff, {cap:?}");
            return Err(ConfigError::new("retry.base", base, allowed));
        }
        if cap > Self::LONGEST {
            return Err(ConfigError::new("retry.max_backoff", cap, "at most a day"));
        }
        if !(1.0..=100.0).contains(&factor) {
            return Err(ConfigError::new("retry.factor", factor, "1 to 100"));
        }
        self.check_waits(deadline)?;
        self.check_budget()
    }

    fn check_waits(&self, deadline: Option<Duration>) -> Result<(), ConfigError> {
        if self.max_hint < LEAST_WAIT {
            let allowed = format!("{LEAST_WAIT:?} or more");
            return Err(ConfigError::new("retry.max_hint", self.max_hint, allowed));
        }
        match deadline {
            // A default is shortened to fit the deadline.
            Some(deadline)
                if self.retries != Some(0)
                    && self.min_attempt_time.is_set()
                    && self.min_attempt_time.time() >= deadline =>
            {
                let allowed = format!("less than the deadline, {deadline:?}");
                Err(ConfigError::new(
                    "retry.min_attempt_time",
                    self.min_attempt_time.time(),
                    allowed,
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_budget(&self) -> Result<(), ConfigError> {
        if !(self.budget_ratio > 0.0 && self.budget_ratio <= 1.0) {
            return Err(ConfigError::new(
                "retry.budget_ratio",
                self.budget_ratio,
                "more than 0, at most 1",
            ));
        }
        if !(1..=Budget::MAX_RESERVE).contains(&self.budget_reserve) {
            let allowed = format!("1 to {}", Budget::MAX_RESERVE);
            return Err(ConfigError::new("retry.budget_reserve", self.budget_reserve, allowed));
        }
        Ok(())
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: Some(2),
            backoff: Exponential {
                base: Duration::from_millis(250),
                factor: 2.0,
                cap: Duration::from_secs(4),
            },
            schedule: None,
            max_hint: Duration::from_secs(120),
            min_attempt_time: Limit::Default(Duration::from_secs(1)),
            seed: None,
            budget_ratio: 0.2,
            budget_reserve: 10,
            budgets: None,
            resend_bytes: Some(32 * 1024 * 1024),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(policy: RetryPolicy) -> String {
        policy.build().unwrap_err().field().to_owned()
    }

    #[test]
    fn the_defaults_are_allowed() {
        assert!(RetryPolicy::new().build().is_ok());
        assert!(RetryPolicy::new().retries(0).build().is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let new = RetryPolicy::new;
        let second = Duration::from_secs(1);
        assert_eq!(refused(new().base(Duration::ZERO)), "retry.base");
        assert_eq!(refused(new().base(5 * second)), "retry.base");
        assert_eq!(refused(new().max_backoff(Duration::MAX)), "retry.max_backoff");
        assert_eq!(refused(new().factor(0.5)), "retry.factor");
        assert_eq!(refused(new().factor(f64::NAN)), "retry.factor");
        assert_eq!(refused(new().factor(f64::INFINITY)), "retry.factor");
        assert_eq!(refused(new().max_hint(Duration::ZERO)), "retry.max_hint");
        assert_eq!(refused(new().budget_ratio(0.0)), "retry.budget_ratio");
        assert_eq!(refused(new().budget_ratio(f64::NAN)), "retry.budget_ratio");
        assert_eq!(refused(new().budget_reserve(0)), "retry.budget_reserve");
    }

    #[test]
    fn retries_that_could_never_start_before_the_deadline_are_refused() {
        let policy = RetryPolicy::new().min_attempt_time(Duration::from_secs(30));
        assert!(policy.check(None).is_ok());
        assert!(policy.check(Some(Duration::from_secs(31))).is_ok());
        let error = policy.check(Some(Duration::from_secs(30))).unwrap_err();
        assert_eq!(error.field(), "retry.min_attempt_time");
        assert!(policy.retries(0).check(Some(Duration::from_secs(30))).is_ok());
    }
}
