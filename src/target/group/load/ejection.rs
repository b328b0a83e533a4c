//! Whether a target can be picked, and how long it is ejected.

use std::time::Duration;

use super::DecisionInput;

/// An ejected target is not picked while another can be: until that time, and until that number of picks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ejection {
    pub(super) since: f64,
    pub(super) until: f64,
    pub(super) picks: u64,
    /// A trial call has gone there, and should have its answer by then.
    pub(super) trial: f64,
}

/// The ejection of a target whose credential was rejected: the first time, and the maximum.
const LOCKED_OUT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// Whether a target can be picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eligibility {
    Eligible,
    /// The ejection is over: the next call is its trial.
    TrialDue,
    Ejected,
}

// === impl Ejection ===

impl Ejection {
    pub(super) fn ends(&self) -> f64 {
        self.until.max(self.trial)
    }
}

/// The ejection for a rejected credential after `times` before: seconds at first, as one rejection can be a glitch.
pub(super) fn locked_out(times: u32, m: &DecisionInput<'_>) -> Duration {
    let lasts = LOCKED_OUT.0.saturating_mul(1 << times.min(16)).min(LOCKED_OUT.1);
    lasts.min(m.policy.permanent_failure_ejection)
}
