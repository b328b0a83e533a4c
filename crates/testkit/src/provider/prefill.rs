//! What a provider makes of a request that ends in words of the assistant.

use crate::{
    Provider,
    reply::{Facts, Reply},
};

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

// === impl Provider ===

impl Provider {
    /// Goes on where a request ends in words of the assistant that its answer begins with: only the words after them come.
    /// Without it, such a request is answered like any other, from the beginning.
    #[must_use]
    pub fn continues(self) -> Self {
        self.change(|state| state.prefill = Prefill::Continued)
    }

    /// Answers 400 to a request that ends in words of the assistant, as models do that take no prefill.
    #[must_use]
    pub fn rejects_prefill(self) -> Self {
        self.change(|state| state.prefill = Prefill::Rejected)
    }
}
