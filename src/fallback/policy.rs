//! The list of fallbacks.

use std::{sync::Arc, time::Duration};

use super::Fallback;
use crate::{
    Request,
    context::least_attempt,
    dialect::RequestInfo,
    stream::MidStreamFailure,
    target::{SpokenDialects, Target},
};

/// The fallbacks, in the order in which they are tried.
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
    /// Whether the first fallback is not the call's own first target, but the one that has stored what the call refers to.
    pub(super) detour: bool,
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The maximum number of fallbacks: 32.
    pub const MAX_FALLBACKS: usize = 32;

    /// Sends the request as it was addressed, with no fallback below.
    pub fn new() -> Self {
        Self {
            fallbacks: vec![Fallback::original_request()],
            resume: MidStreamFailure::Error,
            detour: false,
        }
    }

    /// Sends every call to that target first, whatever its address.
    #[must_use]
    pub fn primary(self, target: Target) -> Self {
        self.first(Fallback::target(target).named("primary"))
    }

    /// Spreads every call over several equal targets first, whatever its address: see [`Fallback::targets`].
    #[must_use]
    pub fn primaries(self, targets: impl IntoIterator<Item = Target>) -> Self {
        self.first(Fallback::targets(targets).named("primary"))
    }

    /// Replaces the first fallback.
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

    /// What happens to a stream that fails while it is read. A [`MidStreamFailure`] in the extensions of a request overrides it
    /// for that call.
    #[must_use]
    pub fn mid_stream_failure(mut self, resume: MidStreamFailure) -> Self {
        self.resume = resume;
        self
    }

    /// The index and name of the first fallback that gives a stored answer, which needs a cache.
    pub(crate) fn stored(&self) -> Option<(usize, &str)> {
        let at = self.fallbacks.iter().position(Fallback::is_stored)?;
        Some((at, &self.fallbacks[at].name))
    }

    /// The field of the first target whose base URL needs TLS.
    #[cfg(feature = "reqwest")]
    pub(crate) fn needs_tls(&self) -> Option<String> {
        let at = |(at, fallback): (usize, &Fallback)| {
            let n = fallback.own_targets().iter().position(Target::needs_tls)?;
            Some(match fallback.has_equals() {
                true => format!("fallbacks[{at}].target[{n}].base_url"),
                false => format!("fallbacks[{at}].base_url"),
            })
        };
        self.fallbacks.iter().enumerate().find_map(at)
    }

    /// The parsed request, read in the dialect that its targets speak.
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

    /// Whether a call may be sent to any fallback below the first, or to the first again.
    pub(crate) fn asks_again(&self) -> bool {
        self.fallbacks[1..].iter().any(|fallback| !fallback.is_instant())
    }

    /// The least time left with which a target is still tried, for a call with `whole` in all: never more than the smallest
    /// reserve that is set.
    pub(super) fn least_attempt(&self, whole: Duration) -> Duration {
        let set = self.fallbacks.iter().filter_map(|fallback| fallback.reserve).min();
        let usual = least_attempt(whole);
        set.map_or(usual, |set| set.min(usual))
    }

    /// The share of a deadline that the first target has: what the fallbacks below do not reserve. For
    /// [`TimeoutPolicy::within`](crate::timeout::TimeoutPolicy::within).
    pub fn first_target_time(&self, deadline: Duration) -> Duration {
        let back = if self.asks_again() { self.reserve(0, deadline, true) } else { Duration::ZERO };
        deadline.saturating_sub(back)
    }

    /// The time that the fallback at `at` reserves, out of `left`, for those below it: a third for all of them together if one of
    /// them `takes_time`, and none for stored answers and canned replies.
    pub(super) fn reserve(&self, at: usize, left: Duration, takes_time: bool) -> Duration {
        /// A local answer takes no time; this margin keeps it ahead of the deadline.
        const INSTANT: Duration = Duration::from_millis(20);
        let below = !self.fallbacks[at + 1..].is_empty();
        let share = if takes_time { left / 3 } else { Duration::ZERO };
        let least = if below { INSTANT.min(left / 10) } else { Duration::ZERO };
        // A call with less time left than the reserve still tries the fallback that comes first.
        let most = left / 3 * 2;
        self.fallbacks[at].reserve.unwrap_or(share).max(least).min(most)
    }
}

impl Default for FallbackPolicy {
    fn default() -> Self {
        Self::new()
    }
}
