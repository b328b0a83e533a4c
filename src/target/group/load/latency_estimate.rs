//! What was said of a target, and how news grow old.

use crate::target::group::BalancePolicy;

/// When something is decided, and by what: seconds since the pool was made, choices that it made, and the time to the
/// first event that is usual in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) policy: &'a BalancePolicy,
    pub(crate) at: f64,
    pub(crate) picks: u64,
    pub(crate) usual: f64,
}

/// The time to the first event, in seconds, and when that was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct LatencyEstimate {
    pub(super) secs: f64,
    pub(super) at: f64,
    pub(super) picks: u64,
}

/// With few calls, news grow old by these and not by time alone: else a target would be tried at every other call.
const PICKS_OF_A_HALF_LIFE: f64 = 16.0;

// === impl LatencyEstimate ===

impl LatencyEstimate {
    /// How much it still counts: 1 when it is new, a half after a half-life.
    pub(super) fn weight(&self, m: &DecisionInput<'_>) -> f64 {
        let time = (m.at - self.at) / m.policy.half_life.as_secs_f64();
        let picks = m.picks.saturating_sub(self.picks) as f64 / PICKS_OF_A_HALF_LIFE;
        (-time.min(picks).max(0.0)).exp2()
    }
}
