//! The times of the calls.

use std::time::Duration;

use fastrand::Rng;

use crate::scenario::{Arrivals, Scenario};

// === impl Arrivals ===

impl Arrivals {
    /// The times of all calls of a scenario, in order, in the time of the incident.
    pub(super) fn times(self, scenario: &Scenario) -> Vec<Duration> {
        let mut rng = Rng::with_seed(scenario.seed);
        let gap = 60.0 / scenario.rate;
        let end = scenario.incident.length().as_secs_f64();
        let mut last = 0.0;
        let mut n = 0.0;
        let times = std::iter::from_fn(|| {
            let time = match self {
                // The gaps of a Poisson process; `1 - f64()` is above zero.
                Self::Poisson => {
                    last -= gap * (1.0 - rng.f64()).ln();
                    last
                }
                Self::Even => (n + rng.f64()) * gap,
            };
            n += 1.0;
            (time < end).then(|| Duration::from_secs_f64(time))
        });
        times.take(Scenario::MAX_CALLS).collect()
    }
}
