//! The rungs, in order.

use std::{sync::Arc, time::Duration};

use super::Fallback;
use crate::{
    Request,
    context::least_attempt,
    dialect::RequestInfo,
    stream::Resume,
    target::{SpokenDialects, Target},
};

/// The rungs, in order: the first is asked first.
///
/// # Defaults
///
/// * the first rung is the request as it was addressed
/// * no rung below it
/// * [`Resume::Off`]: a stream that fails while it is read ends in an error
#[derive(Clone, Debug)]
pub struct FallbackPolicy {
    pub(super) rungs: Vec<Fallback>,
    pub(super) resume: Resume,
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// How many rungs a ladder may have.
    pub const MOST: usize = 32;

    /// The request as it was addressed, and nothing below it.
    pub fn new() -> Self {
        Self { rungs: vec![Fallback::addressed()], resume: Resume::Off }
    }

    /// Sends every call to that target first, wherever it was addressed.
    #[must_use]
    pub fn primary(self, target: Target) -> Self {
        self.first(Fallback::target(target).named("primary"))
    }

    /// Spreads every call over several equal targets first, wherever it was addressed: see [`Fallback::targets`].
    #[must_use]
    pub fn primaries(self, targets: impl IntoIterator<Item = Target>) -> Self {
        self.first(Fallback::targets(targets).named("primary"))
    }

    /// Puts another rung in the first place.
    #[must_use]
    pub fn first(mut self, rung: Fallback) -> Self {
        self.rungs[0] = rung;
        self
    }

    /// Adds a rung below the others.
    #[must_use]
    pub fn rung(mut self, rung: Fallback) -> Self {
        self.rungs.push(rung);
        self
    }

    /// What becomes of a stream that fails while it is read. A call whose request has a [`Resume`] in its extensions has
    /// that instead.
    #[must_use]
    pub fn resume(mut self, resume: Resume) -> Self {
        self.resume = resume;
        self
    }

    /// The first rung that gives a stored answer: it needs a cache.
    pub(crate) fn stored(&self) -> Option<(usize, &str)> {
        let at = self.rungs.iter().position(Fallback::is_stored)?;
        Some((at, &self.rungs[at].name))
    }

    /// What a call asks for, in the dialect that its targets speak.
    pub(super) fn ask(&self, request: &mut Request) -> Arc<RequestInfo> {
        self.dialects().read(request)
    }

    /// The dialects that the rungs say they speak.
    pub(crate) fn dialects(&self) -> SpokenDialects {
        let first = self.rungs[0].dialect();
        SpokenDialects { first, any: self.rungs.iter().find_map(Fallback::dialect) }
    }

    /// Adds a rung that waits for recovery, unless the last one is never out.
    pub(crate) fn waiting(self) -> Self {
        let last = self.rungs.last();
        match last.is_some_and(|last| last.waits() || last.is_last()) {
            true => self,
            false => self.rung(Fallback::wait()),
        }
    }

    /// Whether a call may ask more than the first rung, or that one again.
    pub(super) fn asks_again(&self) -> bool {
        self.rungs[1..].iter().any(|rung| !rung.is_instant())
    }

    /// With how little time a target is still asked, of a call that has `whole`: with all that a rung is to leave.
    pub(super) fn least_attempt(&self, whole: Duration) -> Duration {
        let set = self.rungs.iter().filter_map(|rung| rung.reserve).min();
        least_attempt(whole).min(set.unwrap_or(Duration::MAX))
    }

    /// How much of so long a deadline the first rung has.
    pub(crate) fn time_of_the_first(&self, deadline: Duration) -> Duration {
        let back = if self.asks_again() { self.reserve(0, deadline, true) } else { Duration::ZERO };
        deadline.saturating_sub(back)
    }

    /// The time that the rung at `at` keeps back of what is `left`, for those below it: a third for all of them together
    /// where one of them `takes_time`, and none for what is made or stored here.
    pub(super) fn reserve(&self, at: usize, left: Duration, takes_time: bool) -> Duration {
        /// An answer made here takes no time; this much keeps it ahead of the deadline itself.
        const INSTANT: Duration = Duration::from_millis(20);
        let below = !self.rungs[at + 1..].is_empty();
        let share = if takes_time { left / 3 } else { Duration::ZERO };
        let least = if below { INSTANT.min(left / 10) } else { Duration::ZERO };
        // A call in a hurry, with less left than is to be kept back, still asks the rung that was put first.
        let most = left / 3 * 2;
        self.rungs[at].reserve.unwrap_or(share).max(least).min(most)
    }
}

impl Default for FallbackPolicy {
    fn default() -> Self {
        Self::new()
    }
}
