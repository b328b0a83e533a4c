//! The token usage of an answer.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::Usage;

/// The token usage of an answer, in the extensions of every response that was parsed in its dialect.
///
/// A handle: for a stream it is set once the body has ended, before the end is reported.
#[derive(Clone, Default)]
pub struct UsageHandle(Arc<OnceLock<Usage>>);

// === impl UsageHandle ===

impl UsageHandle {
    /// The tokens; `None` while the stream goes on, and if the provider reported none.
    pub fn get(&self) -> Option<Usage> {
        self.0.get().copied()
    }

    /// Sets the tokens; only the first call counts.
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
