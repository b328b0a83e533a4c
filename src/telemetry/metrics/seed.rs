//! Series that are known before the first call, at zero: a rate over a series that appears with its first failure misses it.

use std::sync::Arc;

use super::{
    label_names::{self, OPENINGS, OUTCOMES, PRIORITIES, REJECTIONS},
    listener::Inner,
};
use crate::{
    outcome::Outcome,
    telemetry::{ConfiguredFallback, Degradation, FaultKind},
};

/// The faults that can be injected: none in a build without the feature.
#[cfg(feature = "chaos")]
const FAULTS: &[FaultKind] = FaultKind::ALL;
#[cfg(not(feature = "chaos"))]
const FAULTS: &[FaultKind] = &[];

/// The causes of wasted tokens.
const WASTED: [&str; 4] = ["retry", "hedge", "cut", "cancelled"];

// === impl Inner ===

impl Inner {
    /// Registers the series of these fallbacks.
    pub(super) fn seed(&self, fallbacks: &[ConfiguredFallback]) {
        let series = &self.instruments;
        for outcome in OUTCOMES.iter().filter(|outcome| !outcome.is_success()) {
            series.calls.at((&self.nobody, outcome.name())).increment(0);
        }
        Degradation::ALL.iter().for_each(|kind| series.degraded.at([kind.name()]).increment(0));
        FAULTS.iter().for_each(|fault| series.chaos_injected.at([fault.name()]).increment(0));
        for priority in PRIORITIES.map(label_names::priority) {
            series.limit_queued.at([priority]).increment(0.0);
        }
        for ConfiguredFallback { name, targets } in fallbacks {
            let served_by = self.routes.named(name);
            for outcome in [Outcome::Success, Outcome::Truncated, Outcome::Cancelled] {
                series.calls.at((&served_by, outcome.name())).increment(0);
            }
            match targets {
                0 => {}
                1 => self.seed_route(&served_by),
                several => {
                    (0..*several).for_each(|at| self.seed_route(&self.routes.equal(name, at)))
                }
            }
        }
    }

    fn seed_route(&self, route: &Arc<str>) {
        let series = &self.instruments;
        for outcome in OUTCOMES {
            series.attempts.at((route, outcome.name(), label_names::yes_or_no(false))).increment(0);
        }
        REJECTIONS.iter().for_each(|why| {
            series.rejections.at((route, label_names::rejection(*why))).increment(0);
        });
        OPENINGS.iter().for_each(|cause| {
            series.breaker_openings.at((route, cause.name())).increment(0);
        });
        WASTED.iter().for_each(|cause| series.wasted_tokens.at((route, *cause)).increment(0));
        for direction in ["input", "output"] {
            series.tokens.at((route, direction)).increment(0);
        }
        series.limit_closed.at(route).increment(0);
        self.show(route);
    }
}
