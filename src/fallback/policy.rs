//! The fallbacks, in order.

use std::{sync::Arc, time::Duration};

use super::Fallback;
use crate::{
    Request,
    context::least_attempt,
    dialect::RequestInfo,
    stream::MidStreamFailure,
    target::{SpokenDialects, Target},
};

/// The fallbacks, in order: the first is asked first.
///
/// # Defaults
///
/// * the first target is the request as it was addressed
/// * no fallback below it
/// * [`MidStreamFailure::Error`]: a stream that fails while it is read ends in an error
#[derive(Clone, Debug)]
pub struct FallbackPolicy {
    pub(super) fallbacks: Vec<Fallback>,
    pub(super) resume: MidStreamFailure,
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// How many fallbacks a ladder may have.
    pub const MAX_FALLBACKS: usize = 32;

    /// The request as it was addressed, and nothing below it.
    pub fn new() -> Self {
        Self { fallbacks: vec![Fallback::original_request()], resume: MidStreamFailure::Error }
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

    /// Puts another fallback in the first place.
    #[must_use]
    pub fn first(mut self, fallback: Fallback) -> Self {
        self.fallbacks[0] = fallback;
        self
    }

    /// Adds a fallback below the others.
    #[must_use]
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallbacks.push(fallback);
        self
    }

    /// What becomes of a stream that fails while it is read. A call whose request has a [`MidStreamFailure`] in its extensions has
    /// that instead.
    #[must_use]
    pub fn mid_stream_failure(mut self, resume: MidStreamFailure) -> Self {
        self.resume = resume;
        self
    }

    /// The first target that gives a stored answer: it needs a cache.
    pub(crate) fn stored(&self) -> Option<(usize, &str)> {
        let at = self.fallbacks.iter().position(Fallback::is_stored)?;
        Some((at, &self.fallbacks[at].name))
    }

    /// What a call asks for, in the dialect that its targets speak.
    pub(super) fn info(&self, request: &mut Request) -> Arc<RequestInfo> {
        self.dialects().read(request)
    }

    /// The dialects that the targets declare. For [`CacheLayer::dialects`](crate::cache::CacheLayer::dialects).
    pub fn dialects(&self) -> SpokenDialects {
        let first = self.fallbacks[0].dialect();
        SpokenDialects { first, any: self.fallbacks.iter().find_map(Fallback::dialect) }
    }

    /// Adds a fallback that waits for recovery, unless the last one waits already or is a canned reply.
    #[must_use]
    pub fn waiting_for_recovery(self) -> Self {
        let last = self.fallbacks.last();
        match last.is_some_and(|last| last.waits() || last.is_last()) {
            true => self,
            false => self.fallback(Fallback::wait_for_recovery()),
        }
    }

    /// Whether a call may ask more than the first target, or that one again.
    pub(super) fn asks_again(&self) -> bool {
        self.fallbacks[1..].iter().any(|fallback| !fallback.is_instant())
    }

    /// With how little time a target is still asked, of a call that has `whole`: with all that a fallback is to leave.
    pub(super) fn least_attempt(&self, whole: Duration) -> Duration {
        let set = self.fallbacks.iter().filter_map(|fallback| fallback.reserve).min();
        let usual = least_attempt(whole);
        set.map_or(usual, |set| set.min(usual))
    }

    /// The time that the first target has of a deadline: what the fallbacks below do not keep back. For
    /// [`TimeoutPolicy::within`](crate::timeout::TimeoutPolicy::within).
    pub fn first_target_time(&self, deadline: Duration) -> Duration {
        let back = if self.asks_again() { self.reserve(0, deadline, true) } else { Duration::ZERO };
        deadline.saturating_sub(back)
    }

    /// The time that the fallback at `at` keeps back of what is `left`, for those below it: a third for all of them together
    /// where one of them `takes_time`, and none for what is made or stored here.
    pub(super) fn reserve(&self, at: usize, left: Duration, takes_time: bool) -> Duration {
        /// An answer made here takes no time; this much keeps it ahead of the deadline itself.
        const INSTANT: Duration = Duration::from_millis(20);
        let below = !self.fallbacks[at + 1..].is_empty();
        let share = if takes_time { left / 3 } else { Duration::ZERO };
        let least = if below { INSTANT.min(left / 10) } else { Duration::ZERO };
        // A call in a hurry, with less left than is to be kept back, still asks the fallback that was put first.
        let most = left / 3 * 2;
        self.fallbacks[at].reserve.unwrap_or(share).max(least).min(most)
    }
}

impl Default for FallbackPolicy {
    fn default() -> Self {
        Self::new()
    }
}
