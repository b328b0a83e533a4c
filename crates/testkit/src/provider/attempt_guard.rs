//! Records the end of an attempt.

use http::HeaderMap;

use super::{AttemptState, Provider};
use crate::reply::Script;

/// An attempt in progress. If it is dropped before [`complete`](Self::complete), it was cancelled.
#[derive(Debug)]
pub(crate) struct AttemptGuard {
    provider: Provider,
    number: u64,
    is_over: bool,
}

// === impl Provider ===

impl Provider {
    /// Records an attempt and decides its answer.
    pub(crate) fn begin_attempt(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (AttemptGuard, Script) {
        let (number, script) = self.plan_attempt(path, headers, body);
        (AttemptGuard { provider: self.clone(), number, is_over: false }, script)
    }
}

// === impl AttemptGuard ===

impl AttemptGuard {
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
