//! What a provider is to make of a request that ends in words of the assistant.

use super::{Provider, prefill::Prefill};

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
