//! The tokens of an answer.

/// The tokens of one answer, as its provider reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the request, including those of a cache.
    pub input: u64,
    /// Tokens of the answer, including hidden reasoning.
    pub output: u64,
    /// Tokens of the request that were read from a cache of the provider and do not count against its limits. Reported by
    /// Anthropic only; zero for others.
    pub cached: u64,
    /// The part of the input that was read from a cache of the provider; zero if none is reported.
    pub cache_read: u64,
    /// The part of the input that was written to a cache of the provider; zero if none is reported.
    pub cache_write: u64,
    /// The part of the output that is hidden reasoning; zero if none is reported.
    pub reasoning: u64,
}

// === impl Usage ===

impl Usage {
    /// The usage of a request and its answer, without a cache.
    pub const fn new(input: u64, output: u64) -> Self {
        Self { input, output, cached: 0, cache_read: 0, cache_write: 0, reasoning: 0 }
    }

    /// Sets the part of the input that was read from a cache of the provider, and does not count against its limits.
    #[must_use]
    pub const fn with_cached(self, cached: u64) -> Self {
        Self { cached, cache_read: cached, ..self }
    }

    /// The tokens of both answers.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cached: self.cached.saturating_add(other.cached),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }
}
