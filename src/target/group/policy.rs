//! The settings of balancing.

use std::{ops::RangeInclusive, time::Duration};

use crate::{ConfigError, target::Target};

/// How attempts are spread over the equal targets of a fallback.
///
/// # Defaults
///
/// | setting | default | why |
/// |---|---|---|
/// | [`penalty`](Self::penalty) | 10 s | as slow as the first content of a stream may be: slower than any healthy target |
/// | [`half_life`](Self::half_life) | 10 s | a slow minute is forgotten within one |
/// | [`consecutive_failures`](Self::consecutive_failures) | 3 in a row | one can be chance; less than the breaker's 5, as another target is available |
/// | [`ejection`](Self::ejection) | 10 s to 30 s | a target has its share again within a minute of its recovery |
/// | [`permanent_failure_ejection`](Self::permanent_failure_ejection) | 5 min | a balance or a deployment is not fixed within seconds |
/// | [`bounded_load_factor`](Self::bounded_load_factor) | 2 | a prompt cache is worth some waiting, not a queue |
/// | [`seed`](Self::seed) | none | processes choose differently |
#[derive(Clone, Debug, PartialEq)]
pub struct BalancePolicy {
    pub(super) penalty: Duration,
    pub(super) half_life: Duration,
    pub(super) consecutive_failures: u32,
    pub(super) ejection: RangeInclusive<Duration>,
    pub(super) permanent_failure_ejection: Duration,
    pub(super) bounded_load_factor: f64,
    pub(super) seed: Option<u64>,
}

// === impl BalancePolicy ===

impl BalancePolicy {
    /// The maximum number of equal targets of a fallback: 64.
    pub const MAX_TARGETS: usize = 64;

    /// The maximum of every duration.
    const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// Creates a policy with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The least latency that a failure counts as, however fast it came: else the target that fails fastest looks best. 10 s by
    /// default.
    #[must_use]
    pub fn penalty(mut self, penalty: Duration) -> Self {
        self.penalty = penalty;
        self
    }

    /// The half-life of a target's latency estimate without new answers, with 16 picks of the fallback as the minimum. 10 s by
    /// default.
    #[must_use]
    pub fn half_life(mut self, half_life: Duration) -> Self {
        self.half_life = half_life;
        self
    }

    /// The number of failures in a row after which a target is ejected. 3 by default.
    #[must_use]
    pub fn consecutive_failures(mut self, failures: u32) -> Self {
        self.consecutive_failures = failures;
        self
    }

    /// The ejection of a failing target: the start of the range, doubled each time, up to its end. Then one call is its trial,
    /// after at least 64 picks of the fallback. 10 s to 30 s by default.
    #[must_use]
    pub fn ejection(mut self, time: RangeInclusive<Duration>) -> Self {
        self.ejection = time;
        self
    }

    /// The ejection of a target whose own model was rejected, or whose quota is exhausted without a reported end. 5 min by
    /// default. A rejected credential ejects a target for 5 s, doubled each time up to 60 s, and never longer than this. A model
    /// that the caller named ejects no target: a target that does not have it gets no call for it for 60 s, and never longer than
    /// this, while another eligible target may have it.
    #[must_use]
    pub fn permanent_failure_ejection(mut self, time: Duration) -> Self {
        self.permanent_failure_ejection = time;
        self
    }

    /// How many times its fair share of the calls in flight a target may have and still get calls that
    /// [stick](crate::context::AffinityKey) to it; 1 or more, 2 by default. Up to four calls are never too many.
    #[must_use]
    pub fn bounded_load_factor(mut self, factor: f64) -> Self {
        self.bounded_load_factor = factor;
        self
    }

    /// Seeds the random picks, so that they are the same in every run: for tests.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Rejects invalid values. `at` is the field of the policy.
    pub(crate) fn check(&self, at: &str) -> Result<(), ConfigError> {
        let times = [
            ("penalty", self.penalty),
            ("half_life", self.half_life),
            ("ejection", *self.ejection.start()),
            ("permanent_failure_ejection", self.permanent_failure_ejection),
        ];
        for (name, time) in times {
            if time.is_zero() || time > Self::LONGEST {
                let allowed = "more than 0, at most a day";
                return Err(ConfigError::new(format!("{at}.{name}"), time, allowed));
            }
        }
        let (min, max) = (*self.ejection.start(), *self.ejection.end());
        if max < min || max > Self::LONGEST {
            let allowed = format!("at least the start of the range, {min:?}, at most a day");
            return Err(ConfigError::new(format!("{at}.ejection"), max, allowed));
        }
        if self.consecutive_failures == 0 {
            return Err(ConfigError::new(format!("{at}.consecutive_failures"), 0, "1 or more"));
        }
        if !(1.0..=1000.0).contains(&self.bounded_load_factor) {
            return Err(ConfigError::new(
                format!("{at}.bounded_load_factor"),
                self.bounded_load_factor,
                "1 to 1000",
            ));
        }
        Ok(())
    }
}

/// Rejects an invalid number of targets, an invalid target, and two targets with the same route.
pub(crate) fn check(targets: &[Target], at: &str) -> Result<(), ConfigError> {
    if targets.is_empty() || targets.len() > BalancePolicy::MAX_TARGETS {
        let allowed = format!("1 to {} targets", BalancePolicy::MAX_TARGETS);
        return Err(ConfigError::new(format!("{at}.targets"), targets.len(), allowed));
    }
    for (n, target) in targets.iter().enumerate() {
        target.check(&|name: &str| format!("{at}.target[{n}].{name}"))?;
        if let Some(twin) = targets[..n].iter().position(|other| other.is_route_of(target)) {
            let allowed = format!("another host, model, credential or label than target[{twin}]");
            return Err(ConfigError::new(format!("{at}.target[{n}]"), target.name(), allowed));
        }
    }
    Ok(())
}

impl Default for BalancePolicy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            penalty: seconds(10),
            half_life: seconds(10),
            consecutive_failures: 3,
            ejection: seconds(10)..=seconds(30),
            permanent_failure_ejection: seconds(300),
            bounded_load_factor: 2.0,
            seed: None,
        }
    }
}
