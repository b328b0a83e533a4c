//! When calls come.

use std::time::Duration;

use fastrand::Rng;

use crate::scenario::{Arrivals, Scenario};

// === impl Arrivals ===

impl Arrivals {
    /// The times of all calls of a drill, in order, in the time of the incident.
    pub(super) fn times(self, drill: &Scenario) -> Vec<Duration> {
        let mut rng = Rng::with_seed(drill.seed);
        let gap = 60.0 / drill.rate;
        let end = drill.incident.length().as_secs_f64();
        let mut at = 0.0;
        let mut n = 0.0;
        let times = std::iter::from_fn(|| {
            let time = match self {
                // The gaps of a Poisson process; `1 - f64()` is above zero.
                Self::Poisson => {
                    at -= gap * (1.0 - rng.f64()).ln();
                    at
                }
                Self::Even => (n + rng.f64()) * gap,
            };
            n += 1.0;
            (time < end).then(|| Duration::from_secs_f64(time))
        });
        times.take(Scenario::MAX_CALLS).collect()
    }
}
