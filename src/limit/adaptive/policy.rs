//! The configuration of an adaptive limit.

use crate::ConfigError;

/// How an adaptive limit finds the number of attempts at a time that a provider takes.
///
/// # Defaults
///
/// | what | default | why |
/// |---|---|---|
/// | [`initial`](Self::initial) | 8 | the first latencies have to be those of a provider that is not busy with our calls |
/// | [`min`](Self::min) | 1 | with no attempt under way the limit would get no further samples |
/// | [`max`](Self::max) | 1000 | a bound on sockets and memory, the one of Envoy's gradient controller |
/// | [`tolerance`](Self::tolerance) | 1.5 | the time to the first event normally varies by a third; twice as long is a queue |
/// | [`backoff`](Self::backoff) | 0.9 | Netflix' AIMD: nine tenths of a capacity are still good use of it |
/// | [`patience`](Self::patience) | 40 calls | one more rejected try after them is 2.5 % of all calls |
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptivePolicy {
    pub(super) initial: u32,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) tolerance: f64,
    pub(super) backoff: f64,
    pub(super) patience: u32,
}

// === impl AdaptivePolicy ===

impl AdaptivePolicy {
    /// The limit before any sample. Default: 8.
    #[must_use]
    pub fn initial(mut self, calls: u32) -> Self {
        self.initial = calls;
        self
    }

    /// The smallest limit; at least 1.
    #[must_use]
    pub fn min(mut self, calls: u32) -> Self {
        self.min = calls;
        self
    }

    /// The largest limit. Default: 1000.
    #[must_use]
    pub fn max(mut self, calls: u32) -> Self {
        self.max = calls;
        self
    }

    /// The factor by which the first event may be slower than usual before the calls count as queued. 1.1 to 10. Default: 1.5.
    #[must_use]
    pub fn tolerance(mut self, times: f64) -> Self {
        self.tolerance = times;
        self
    }

    /// The share of the limit that is kept when the provider rejects calls that it took before. 0.1 to 0.99.
    #[must_use]
    pub fn backoff(mut self, share: f64) -> Self {
        self.backoff = share;
        self
    }

    /// The number of calls that have to be answered before the last limit that was too high is tried again. Such a try rejects at
    /// most one call in this many. At least 1.
    #[must_use]
    pub fn patience(mut self, calls: u32) -> Self {
        self.patience = calls;
        self
    }

    /// Rejects values that would never let a call through, or never adapt.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let rejected = |field: &str, value: &dyn std::fmt::Debug, allowed: String| {
            Err(ConfigError::new(format!("limit.adaptive.{field}"), value, allowed))
        };
        if self.min == 0 {
            return rejected("min", &self.min, "1 and more".into());
        }
        if self.max < self.min {
            return rejected("max", &self.max, format!("{} and more", self.min));
        }
        if !(self.min..=self.max).contains(&self.initial) {
            return rejected("initial", &self.initial, format!("{} to {}", self.min, self.max));
        }
        if !(1.1..=10.0).contains(&self.tolerance) {
            return rejected("tolerance", &self.tolerance, "1.1 to 10".into());
        }
        if !(0.1..=0.99).contains(&self.backoff) {
            return rejected("backoff", &self.backoff, "0.1 to 0.99".into());
        }
        if self.patience == 0 {
            return rejected("patience", &self.patience, "1 and more".into());
        }
        Ok(())
    }
}

impl Default for AdaptivePolicy {
    fn default() -> Self {
        Self { initial: 8, min: 1, max: 1000, tolerance: 1.5, backoff: 0.9, patience: 40 }
    }
}
