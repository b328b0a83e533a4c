//! An attempt under way at a provider.

use super::{Fate, Provider};

/// An attempt under way. Dropped before [`done`](Self::done), it was cancelled.
#[derive(Debug)]
pub(crate) struct Flight {
    provider: Provider,
    number: u64,
    over: bool,
}

// === impl Flight ===

impl Flight {
    pub(super) fn new(provider: Provider, number: u64) -> Self {
        Self { provider, number, over: false }
    }

    /// The provider has done all it meant to.
    pub(crate) fn done(&mut self) {
        self.end(Fate::Done);
    }

    fn end(&mut self, fate: Fate) {
        if !self.over {
            self.over = true;
            self.provider.ended(self.number, fate);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end(Fate::Cancelled);
    }
}
