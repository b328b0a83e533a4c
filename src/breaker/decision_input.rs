//! What a decision is made from.

use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::BreakerPolicy;

/// What decisions are made from: the policy, the time and chance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) policy: &'a BreakerPolicy,
    pub(crate) now: Instant,
    pub(crate) random: f64,
}

/// What a breaker knows of an attempt that asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallerInfo {
    /// By when the call has its answer.
    pub(crate) deadline: Option<Instant>,
    /// Another target can be asked in its place.
    pub(crate) elsewhere: bool,
    /// It is a retry, or a second copy of a call.
    pub(crate) extra: bool,
    /// The answer is not streamed.
    pub(crate) whole: bool,
    /// Another route of the provider is open or suspicious because of failures.
    pub(crate) sibling_troubled: bool,
}

// === impl CallerInfo ===

impl CallerInfo {
    /// How long it can wait from `now`; `None` if for ever.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(now))
    }
}
