//! What an answer cost in tokens.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::Usage;

/// What an answer cost, in the extensions of every response that was read in its dialect.
///
/// A handle: for a stream it is known once the body has ended, before whatever waits for that end is told.
#[derive(Clone, Default)]
pub struct UsageHandle(Arc<OnceLock<Usage>>);

// === impl UsageHandle ===

impl UsageHandle {
    /// The tokens; `None` while the stream goes on, and where the provider did not say.
    pub fn get(&self) -> Option<Usage> {
        self.0.get().copied()
    }

    /// Sets them; the first count stays.
    pub(crate) fn settle(&self, tokens: Option<Usage>) {
        if let Some(tokens) = tokens {
            let _first_stays = self.0.set(tokens);
        }
    }
}

impl fmt::Debug for UsageHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usage({:?})", self.get())
    }
}
