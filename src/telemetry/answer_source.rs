//! Where the answer of a call is from.

use std::fmt;

/// Where the answer of a call is from.
///
/// In the extensions of a response that is not from the call's own first target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerSource {
    /// The first target; also for a call without an answer.
    #[default]
    FirstTarget,
    /// A fallback's target.
    Fallback,
    /// A stored answer that is fresh: the cache answered in place of any target.
    Cached,
    /// A stored answer, as a fallback.
    Stored,
    /// A canned reply.
    Canned,
    /// The answer to an equal call that was in flight. The tokens are those of that call.
    Shared,
}

// === impl AnswerSource ===

impl AnswerSource {
    /// The name in spans and metrics: `first_target`, `fallback`, `cached`, `stored`, `canned` or `shared`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstTarget => "first_target",
            Self::Fallback => "fallback",
            Self::Cached => "cached",
            Self::Stored => "stored",
            Self::Canned => "canned",
            Self::Shared => "shared",
        }
    }

    /// Whether the caller gets less than the first target's answer to the call.
    pub fn is_degraded(self) -> bool {
        matches!(self, Self::Fallback | Self::Stored | Self::Canned)
    }
}

impl fmt::Display for AnswerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
