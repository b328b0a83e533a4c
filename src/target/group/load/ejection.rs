//! Whether a target can be chosen, and how long it is out.

use std::time::Duration;

use super::DecisionInput;

/// It is not chosen while another can be: until that time, and until so many choices have been made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ejection {
    pub(super) since: f64,
    pub(super) until: f64,
    pub(super) picks: u64,
    /// A call has gone there to find out, and should have its answer by then.
    pub(super) trial: f64,
}

/// How long a target is out whose credential was rejected: the first time, and at most.
const LOCKED_OUT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// Whether a target can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eligibility {
    Eligible,
    /// It was out long enough: the next call is to try it.
    TrialDue,
    Ejected,
}

// === impl Ejection ===

impl Ejection {
    pub(super) fn ends(&self) -> f64 {
        self.until.max(self.trial)
    }
}

/// How long a target is out for a rejected credential that was out `times` before: for seconds at first, as one rejection can
/// be a glitch.
pub(super) fn locked_out(times: u32, m: &DecisionInput<'_>) -> Duration {
    let lasts = LOCKED_OUT.0.saturating_mul(1 << times.min(16)).min(LOCKED_OUT.1);
    lasts.min(m.policy.permanent_failure_ejection)
}
