//! What a provider makes of a request that ends in words of the assistant.

use crate::reply::{Facts, Reply};

/// What a request that ends in words of the assistant comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Prefill {
    Ignored,
    Continued,
    Rejected,
}

// === impl Prefill ===

impl Prefill {
    /// The answer to such a request, where it is not the one that was planned.
    pub(super) fn reply(self, facts: &Facts) -> Option<Reply> {
        let rejected = matches!(self, Self::Rejected) && facts.prefill.is_some();
        rejected.then(|| Reply::error(400, "invalid_request_error", "assistant_prefill"))
    }

    /// Leaves the words in what is known of the request only where the answer goes on from them.
    pub(super) fn read(self, facts: &mut Facts) {
        if !matches!(self, Self::Continued) {
            facts.prefill = None;
        }
    }
}
