//! The answers of the last seconds, and the tokens that they have earned beyond the reserve.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// The number of recent answers.
#[derive(Debug)]
pub(super) struct Answers {
    epoch: Instant,
    /// The index of the current time slot.
    slot: AtomicU64,
    count: AtomicU64,
    /// The count of the previous slot.
    before: AtomicU64,
    /// The tokens for retries that answers have left.
    tokens: AtomicU64,
}

/// The maximum number of tokens of any kind in a budget.
pub(super) const MAX_TOKENS: u32 = 10_000;

/// The length of a time slot.
const SLOT: Duration = Duration::from_secs(10);

// === impl Answers ===

impl Answers {
    pub(super) fn new() -> Self {
        let [slot, count, before, tokens] = [0; 4].map(AtomicU64::new);
        Self { epoch: Instant::now(), slot, count, before, tokens }
    }

    /// Counts an answer, and with `keeps` its token. Two threads that enter a new slot at the same moment may lose a few, which
    /// makes the bound slightly lower.
    pub(super) fn add(&self, now: Instant, keeps: bool) {
        let slot = now.saturating_duration_since(self.epoch).as_secs() / SLOT.as_secs();
        let was = self.slot.swap(slot, Ordering::Relaxed);
        if was != slot {
            let count = self.count.swap(0, Ordering::Relaxed);
            self.before.store(if was + 1 == slot { count } else { 0 }, Ordering::Relaxed);
        }
        let lately = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let most =
            lately.saturating_add(self.before.load(Ordering::Relaxed)).min(MAX_TOKENS.into());
        let more = |tokens: u64| Some(tokens.saturating_add(u64::from(keeps)).min(most));
        // Never fails, as `more` never returns `None`.
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Spends a token of the answers; `false` if there is none.
    pub(super) fn spend(&self) -> bool {
        decrement(&self.tokens)
    }
}

/// Decrements a count; `false` if it is zero.
pub(super) fn decrement(count: &AtomicU64) -> bool {
    let less = |count: u64| count.checked_sub(1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}
