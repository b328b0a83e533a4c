//! An attempt under way at a provider.

use http::HeaderMap;

use super::{Fate, Provider};
use crate::reply::Script;

/// An attempt under way. Dropped before [`done`](Self::done), it was cancelled.
#[derive(Debug)]
pub(crate) struct Flight {
    provider: Provider,
    number: u64,
    over: bool,
}

// === impl Provider ===

impl Provider {
    /// An attempt has come: what is to be done with it.
    pub(crate) fn begin(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> (Flight, Script) {
        let (number, script) = self.plan(path, headers, body);
        (Flight { provider: self.clone(), number, over: false }, script)
    }
}

// === impl Flight ===

impl Flight {
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
