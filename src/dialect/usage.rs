//! What an answer cost in tokens.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// The tokens of one answer, as its provider counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tokens {
    /// Of the request.
    pub input: u64,
    /// Of the answer, hidden reasoning included.
    pub output: u64,
    /// Of the request, what was read from a cache of the provider and does not count against its limits: Anthropic reports
    /// it. Zero elsewhere.
    pub cached: u64,
}

/// What an answer cost, in the extensions of every response that was read in its dialect.
///
/// A handle: for a stream it is known once the body has ended, before whatever waits for that end is told.
#[derive(Clone, Default)]
pub struct Usage(Arc<OnceLock<Tokens>>);

// === impl Tokens ===

impl Tokens {
    /// Of a request and its answer, without a cache.
    pub(crate) const fn new(input: u64, output: u64) -> Self {
        Self { input, output, cached: 0 }
    }
}

// === impl Usage ===

impl Usage {
    /// The tokens; `None` while the stream goes on, and where the provider did not say.
    pub fn tokens(&self) -> Option<Tokens> {
        self.0.get().copied()
    }

    /// Sets them; the first count stays.
    pub(crate) fn settle(&self, tokens: Option<Tokens>) {
        if let Some(tokens) = tokens {
            let _first_stays = self.0.set(tokens);
        }
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usage({:?})", self.tokens())
    }
}
