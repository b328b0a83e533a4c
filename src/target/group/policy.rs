//! What balancing is set to.

use std::{ops::RangeInclusive, time::Duration};

use crate::{ConfigError, target::Target};

/// How attempts are spread over the equal targets of a fallback.
///
/// # Defaults
///
/// | what | default | why |
/// |---|---|---|
/// | [`penalty`](Self::penalty) | 10 s | as slow as the first content of a stream may be: slower than any healthy target |
/// | [`half_life`](Self::half_life) | 10 s | a slow minute is forgotten within one |
/// | [`consecutive_failures`](Self::consecutive_failures) | 3 in a row | one can be chance; before the breaker's 5, as here another can be asked |
/// | [`ejection`](Self::ejection) | 10 s to 30 s | has its share again within a minute of its recovery |
/// | [`permanent_failure_ejection`](Self::permanent_failure_ejection) | 5 min | a balance or a deployment is not put right within seconds |
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
    /// How many equal targets a fallback may have.
    pub const MAX_TARGETS: usize = 64;

    /// No time of it may be longer.
    const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How slow a failure counts at least, however fast it came: else the target that fails fast looks like the best.
    #[must_use]
    pub fn penalty(mut self, penalty: Duration) -> Self {
        self.penalty = penalty;
        self
    }

    /// After how long without news half of what a target differs from the others is forgotten; with few calls, after 16
    /// of the fallback at the soonest.
    #[must_use]
    pub fn half_life(mut self, half_life: Duration) -> Self {
        self.half_life = half_life;
        self
    }

    /// After this number of failures in a row a target is ejected.
    #[must_use]
    pub fn consecutive_failures(mut self, failures: u32) -> Self {
        self.consecutive_failures = failures;
        self
    }

    /// How long a target that fails is out: `first`, doubled each time, up to `most`. Then one call tries it, at the
    /// soonest after 64 of the fallback.
    #[must_use]
    pub fn ejection(mut self, time: RangeInclusive<Duration>) -> Self {
        self.ejection = time;
        self
    }

    /// How long a target is out whose own model was rejected, or whose quota is exhausted and nobody says until when. A
    /// rejected credential takes it out for 5 s, doubled each time up to 60 s, and never longer than this. A model that the
    /// caller named takes no target out: one that does not have it is not asked for it for 60 s, and never longer than
    /// this, while another is in that may have it.
    #[must_use]
    pub fn permanent_failure_ejection(mut self, time: Duration) -> Self {
        self.permanent_failure_ejection = time;
        self
    }

    /// How much more than its fair part of the calls under way a target may have and still be given calls that
    /// [stick](crate::context::AffinityKey) to it; 1 or more. Up to four calls are never too many.
    #[must_use]
    pub fn bounded_load_factor(mut self, factor: f64) -> Self {
        self.bounded_load_factor = factor;
        self
    }

    /// Makes the choices the same in every run: for tests.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Refuses what cannot be meant. `at` is where the policy stands.
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

/// Refuses targets that cannot be equals of each other.
pub(crate) fn check(targets: &[Target], at: &str) -> Result<(), ConfigError> {
    if targets.is_empty() || targets.len() > BalancePolicy::MAX_TARGETS {
        let allowed = format!("1 to {} targets", BalancePolicy::MAX_TARGETS);
        return Err(ConfigError::new(format!("{at}.targets"), targets.len(), allowed));
    }
    for (n, target) in targets.iter().enumerate() {
        target.check(&|name: &str| format!("{at}.target[{n}].{name}"))?;
        if let Some(twin) = targets[..n].iter().position(|other| other.is_route_of(target)) {
            let allowed = format!("another host, model, credential or label than target[{twin}]");
            return Err(ConfigError::new(format!("{at}.target[{n}]"), target, allowed));
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
