//! The tokens of an answer.

/// The tokens of one answer, as its provider reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the request.
    pub input: u64,
    /// Tokens of the answer, including hidden reasoning.
    pub output: u64,
    /// Tokens of the request that were read from a cache of the provider and do not count against its limits. Reported by
    /// Anthropic only; zero for others.
    pub cached: u64,
}

// === impl Usage ===

impl Usage {
    /// The usage of a request and its answer, without a cache.
    pub const fn new(input: u64, output: u64) -> Self {
        Self { input, output, cached: 0 }
    }

    /// Sets the part of the input that was read from a cache of the provider.
    #[must_use]
    pub const fn with_cached(self, cached: u64) -> Self {
        Self { cached, ..self }
    }
}
