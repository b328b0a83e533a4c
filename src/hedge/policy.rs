//! The configuration of hedging.

use crate::{ConfigError, budget::Budgets, latency::QuantileQuery};

/// When a late call gets a second copy, and the budget for copies.
///
/// # Defaults
///
/// - [`quantile`](Self::quantile): 0.95 of the route's first events
/// - [`samples`](Self::samples): 20 before the first copy
/// - [`budget_ratio`](Self::budget_ratio): 5 % of the calls of a route
/// - [`budgets`](Self::budgets): none of its own; in a [`Client`](crate::Client) those of the retries
#[derive(Clone, Debug)]
pub struct HedgePolicy {
    pub(super) quantile: f64,
    pub(super) samples: u32,
    pub(super) budget_ratio: f64,
    pub(super) budgets: Option<Budgets>,
}

// === impl HedgePolicy ===

impl HedgePolicy {
    /// The number of samples kept for a route, and the largest value of [`samples`](Self::samples).
    pub const MOST_SAMPLES: u32 = 128;

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The quantile of first-event latency after which a call is late: 0.5 to 0.999. Default: 0.95.
    #[must_use]
    pub fn quantile(mut self, quantile: f64) -> Self {
        self.quantile = quantile;
        self
    }

    /// The number of first events of a route before a call of it can be late: 1 to [`MOST_SAMPLES`](Self::MOST_SAMPLES). Default:
    /// 20.
    #[must_use]
    pub fn samples(mut self, samples: u32) -> Self {
        self.samples = samples;
        self
    }

    /// The most second copies, as a share of the calls of a route: more than 0, at most 1. Each call adds this part of a copy to
    /// the budget, which holds at most ten.
    #[must_use]
    pub fn budget_ratio(mut self, share: f64) -> Self {
        self.budget_ratio = share;
        self
    }

    /// Also draws on these budgets: those of the retries, so that copies and retries share one bound.
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = Some(budgets);
        self
    }

    /// The latency after which a call is late.
    pub(super) fn late_after(&self) -> QuantileQuery {
        QuantileQuery { quantile: self.quantile, min_samples: self.samples }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !(0.5..=0.999).contains(&self.quantile) {
            return Err(ConfigError::new("hedge.quantile", self.quantile, "0.5 to 0.999"));
        }
        if !(1..=Self::MOST_SAMPLES).contains(&self.samples) {
            let allowed = format!("1 to {}", Self::MOST_SAMPLES);
            return Err(ConfigError::new("hedge.samples", self.samples, allowed));
        }
        if !(self.budget_ratio > 0.0 && self.budget_ratio <= 1.0) {
            return Err(ConfigError::new(
                "hedge.budget_ratio",
                self.budget_ratio,
                "more than 0, at most 1",
            ));
        }
        Ok(())
    }
}

impl Default for HedgePolicy {
    fn default() -> Self {
        Self { quantile: 0.95, samples: 20, budget_ratio: 0.05, budgets: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_allowed_and_what_cannot_be_meant_is_refused_by_name() {
        let new = HedgePolicy::new;
        assert!(new().build().is_ok());
        for (policy, field) in [
            (new().quantile(0.2), "hedge.quantile"),
            (new().quantile(f64::NAN), "hedge.quantile"),
            (new().quantile(1.0), "hedge.quantile"),
            (new().samples(0), "hedge.samples"),
            (new().samples(129), "hedge.samples"),
            (new().budget_ratio(0.0), "hedge.budget_ratio"),
            (new().budget_ratio(f64::INFINITY), "hedge.budget_ratio"),
        ] {
            assert_eq!(policy.build().unwrap_err().field(), field);
        }
    }
}
