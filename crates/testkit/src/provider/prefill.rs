//! The answers of a provider to a request with a prefill: a last message that is the assistant's.

use crate::reply::{Reply, RequestFacts};

/// How a provider answers a request with a prefill.
#[derive(Clone, Copy, Debug)]
pub(super) enum PrefillMode {
    Ignored,
    Continued,
    Rejected,
}

// === impl PrefillMode ===

impl PrefillMode {
    /// The answer to a request with a prefill that is rejected.
    pub(super) fn reply(self, facts: &RequestFacts) -> Option<Reply> {
        let rejected = matches!(self, Self::Rejected) && facts.prefill.is_some();
        rejected.then(|| Reply::error(400, "invalid_request_error", "assistant_prefill"))
    }

    /// Removes the prefill from the parsed request, unless the answer continues it.
    pub(super) fn read(self, facts: &mut RequestFacts) {
        if !matches!(self, Self::Continued) {
            facts.prefill = None;
        }
    }
}
