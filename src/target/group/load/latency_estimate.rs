//! A latency estimate, and its decay.

use crate::target::group::BalancePolicy;

/// The input of a decision: seconds since the pool was created, the number of picks it has made, and the usual time to the first
/// event in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) policy: &'a BalancePolicy,
    pub(crate) at: f64,
    pub(crate) picks: u64,
    pub(crate) usual: f64,
}

/// The time to the first event, in seconds, and when it was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct LatencyEstimate {
    pub(super) secs: f64,
    pub(super) at: f64,
    pub(super) picks: u64,
}

/// With few calls, an estimate decays by picks and not by time alone: else every other call would try a slow target.
const PICKS_OF_A_HALF_LIFE: f64 = 16.0;

// === impl LatencyEstimate ===

impl LatencyEstimate {
    /// The weight of the estimate: 1 when new, one half after a half-life.
    pub(super) fn weight(&self, m: &DecisionInput<'_>) -> f64 {
        let time = (m.at - self.at) / m.policy.half_life.as_secs_f64();
        let picks = m.picks.saturating_sub(self.picks) as f64 / PICKS_OF_A_HALF_LIFE;
        (-time.min(picks).max(0.0)).exp2()
    }
}
