//! What a decision is made from, and what is known of a call that was let through.

use tokio::time::Instant;

use crate::{
    breaker::{BreakerPolicy, probes::Slot, window::Counts},
    classify::{Outcome, Phase},
};

/// What decisions are made from: the policy, the time and chance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) policy: &'a BreakerPolicy,
    pub(crate) now: Instant,
    pub(crate) random: f64,
}

/// What a permit knows of the call that it was given to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(super) generation: u64,
    pub(crate) started: Instant,
    pub(crate) random: f64,
    /// The place of a probe that is not decided yet.
    pub(super) slot: Option<Slot>,
    /// The answer is not streamed, so it may take longer.
    pub(crate) whole: bool,
    /// When the first event was there, and was counted.
    pub(super) begun: Option<Instant>,
    /// It was counted as slow.
    pub(super) slow: bool,
    /// What came after the first event came too slowly.
    pub(crate) trickled: bool,
}

// === impl Ticket ===

impl Ticket {
    /// Whether it is for a probe that is not decided yet.
    pub(crate) fn is_probe(&self) -> bool {
        self.slot.is_some()
    }

    /// Whether it was ended by a deadline that came so soon that no provider could have kept it: callers in a hurry are
    /// not to close a route to all the others. A second, with the time after which a stream is slow as it is.
    pub(crate) fn is_hurried(&self, at: Moment<'_>, outcome: Outcome) -> bool {
        let deadline = outcome == Outcome::TimedOut { phase: Phase::Deadline };
        deadline && at.now.saturating_duration_since(self.started) < at.policy.slow_first / 8
    }

    /// Whether it has taken too long by now.
    pub(crate) fn is_slow(&self, at: Moment<'_>) -> bool {
        let policy = at.policy;
        let limit = if self.whole { policy.slow_whole } else { policy.slow_first };
        policy.slow.is_some() && at.now.saturating_duration_since(self.started) > limit
    }

    /// What is counted of the latency of a call at its end. One whose first event was counted is not counted again, unless
    /// it has become slow since then: in place of that first count, as long as the window has it, else anew.
    pub(crate) fn latency(&self, at: Moment<'_>, slow: bool) -> Counts {
        let trickled = self.trickled && !self.slow && at.policy.slow.is_some();
        match self.begun {
            None => Counts::latency(slow),
            Some(_) if !trickled => Counts::default(),
            Some(begun) if at.now.saturating_duration_since(begun) < at.policy.window => {
                Counts { slow: 1, ..Counts::default() }
            }
            Some(_) => Counts::latency(true),
        }
    }
}
