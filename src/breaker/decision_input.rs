//! The input of a decision.

use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::BreakerPolicy;

/// The input of a decision: the policy, the time and a random number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) policy: &'a BreakerPolicy,
    pub(crate) now: Instant,
    pub(crate) random: f64,
}

/// What a breaker knows of an attempt that asks for a permit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallerInfo {
    /// The deadline of the call.
    pub(crate) deadline: Option<Instant>,
    /// Whether the call has another target.
    pub(crate) elsewhere: bool,
    /// Whether the attempt is a retry or a hedge.
    pub(crate) extra: bool,
    /// Whether the answer is not streamed.
    pub(crate) whole: bool,
    /// Whether another route of the provider is open or suspicious because of failures.
    pub(crate) sibling_troubled: bool,
}

// === impl CallerInfo ===

impl CallerInfo {
    /// The time left from `now` to the deadline; `None` without a deadline.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(now))
    }
}
