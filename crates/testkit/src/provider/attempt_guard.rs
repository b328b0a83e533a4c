//! Records the end of an attempt.

use super::{AttemptState, Provider};

/// An attempt in progress. If it is dropped before [`complete`](Self::complete), it was cancelled.
#[derive(Debug)]
pub(crate) struct AttemptGuard {
    provider: Provider,
    number: u64,
    is_over: bool,
}

// === impl AttemptGuard ===

impl AttemptGuard {
    pub(super) fn new(provider: Provider, number: u64) -> Self {
        Self { provider, number, is_over: false }
    }

    /// The answer is complete.
    pub(crate) fn complete(&mut self) {
        self.end(AttemptState::Completed);
    }

    fn end(&mut self, state: AttemptState) {
        if !self.is_over {
            self.is_over = true;
            self.provider.end_attempt(self.number, state);
        }
    }
}

impl Drop for AttemptGuard {
    fn drop(&mut self) {
        self.end(AttemptState::Cancelled);
    }
}
