//! The probes of a half-open breaker.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{BreakerPolicy, opening::scaled, ticket::Moment},
    context::later,
};

const SLOTS: usize = BreakerPolicy::MOST_PROBES as usize;

/// Which probes are under way, and how many have succeeded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Probes {
    /// When each probe under way hangs.
    hangs: [Option<Instant>; SLOTS],
    passed: u32,
}

/// The place of a probe under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u8);

// === impl Probes ===

impl Probes {
    /// A place for one more probe, or when it is worth coming back: spread over the time of one opening, so that calls which
    /// wait do not all arrive in the moment in which it recovers.
    pub(crate) fn take(&mut self, at: Moment<'_>) -> Result<Slot, Duration> {
        let places = at.policy.probes.min(BreakerPolicy::MOST_PROBES) as u8;
        match (0..places).find(|slot| self.hangs[usize::from(*slot)].is_none()) {
            Some(slot) => {
                self.hangs[usize::from(slot)] = Some(later(at.now, at.policy.probe_limit));
                Ok(Slot(slot))
            }
            None => Err(soon(at.policy.open, at.random)),
        }
    }

    /// Gives a place back.
    pub(crate) fn free(&mut self, slot: Slot) {
        self.hangs[usize::from(slot.0)] = None;
    }

    /// Gives a place back after a success, and tells whether there have been enough.
    pub(crate) fn pass(&mut self, slot: Slot, policy: &BreakerPolicy) -> bool {
        self.free(slot);
        self.passed = self.passed.saturating_add(1);
        self.passed >= policy.successes
    }

    /// When the first probe under way hangs, or did.
    pub(crate) fn first_hangs(&self) -> Option<Instant> {
        self.hangs.iter().flatten().min().copied()
    }

    /// How many probes are under way.
    pub(crate) fn under_way(&self) -> u32 {
        self.hangs.iter().flatten().count() as u32
    }
}

/// A moment within `span` by chance, but never at once: whoever comes back at once would spin.
pub(crate) fn soon(span: Duration, random: f64) -> Duration {
    const AT_ONCE: Duration = Duration::from_millis(100);
    scaled(span, random.clamp(0.0, 1.0)).max(AT_ONCE)
}
