//! What an answer cost in tokens.

/// The tokens of one answer, as its provider counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Of the request.
    pub input: u64,
    /// Of the answer, hidden reasoning included.
    pub output: u64,
    /// Of the request, what was read from a cache of the provider and does not count against its limits: Anthropic reports
    /// it. Zero elsewhere.
    pub cached: u64,
}

// === impl Usage ===

impl Usage {
    /// Of a request and its answer, without a cache.
    pub const fn new(input: u64, output: u64) -> Self {
        Self { input, output, cached: 0 }
    }

    /// With that many of the input read from a cache of the provider.
    #[must_use]
    pub const fn with_cached(self, cached: u64) -> Self {
        Self { cached, ..self }
    }
}
