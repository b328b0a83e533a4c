//! The token counts of an event.

use crate::Usage;

/// The tokens of an answer so far, as an event counts them. Every count is for the whole answer; an event may omit some of the
/// counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UsageCounts {
    /// Input tokens that were not cached.
    pub(crate) input: Option<u64>,
    /// Input tokens written to a cache.
    pub(crate) cache_write: Option<u64>,
    /// Input tokens read from a cache.
    pub(crate) cache_read: Option<u64>,
    /// The part of `input` that was read from a cache, of providers that count it there.
    pub(crate) cache_read_of_input: Option<u64>,
    /// The part of `output` that is hidden reasoning.
    pub(crate) reasoning: Option<u64>,
    pub(crate) output: Option<u64>,
}

// === impl UsageCounts ===

impl UsageCounts {
    /// Both counts at once, as most dialects have them.
    pub(crate) fn new(input: u64, output: u64) -> Self {
        Self { input: Some(input), output: Some(output), ..Self::default() }
    }

    /// Merges the counts of the next event. A count that the event omits stays as it is.
    pub(crate) fn add(&mut self, next: Self) {
        self.input = next.input.or(self.input);
        self.cache_write = next.cache_write.or(self.cache_write);
        self.cache_read = next.cache_read.or(self.cache_read);
        self.cache_read_of_input = next.cache_read_of_input.or(self.cache_read_of_input);
        self.reasoning = next.reasoning.or(self.reasoning);
        self.output = next.output.or(self.output);
    }

    /// The tokens, if any were counted. Tokens read from or written to a cache are input too.
    pub(crate) fn tokens(&self) -> Option<Usage> {
        let input = [self.input, self.cache_write, self.cache_read];
        let any = input.iter().chain([&self.output]).any(Option::is_some);
        let input = input.iter().flatten().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let cached = self.cache_read.unwrap_or_default();
        let tokens = Usage {
            cache_read: cached.saturating_add(self.cache_read_of_input.unwrap_or_default()),
            cache_write: self.cache_write.unwrap_or_default(),
            reasoning: self.reasoning.unwrap_or_default(),
            ..Usage::new(input, self.output.unwrap_or_default()).with_cached(cached)
        };
        any.then_some(tokens)
    }
}
