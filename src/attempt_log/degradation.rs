//! How an answer is less than what the caller asked for.

/// How an answer is less than what the caller asked for. An answer of another target to the whole request is not degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Degradation {
    /// The fallback that answered had edited the request: see [`Edit`](crate::fallback::Edit).
    Edited,
    /// A stored answer in place of a target's.
    Stored,
    /// A stored answer that is older than [`serve_fresh_for`](crate::cache::CachePolicy::serve_fresh_for) allows.
    Stale,
    /// A canned reply.
    Canned,
    /// A stream that failed, and that another target continued.
    Resumed,
}

// === impl Degradation ===

impl Degradation {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Edited, Self::Stored, Self::Stale, Self::Canned, Self::Resumed];

    /// The name in metrics and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Stored => "stored",
            Self::Stale => "stale",
            Self::Canned => "canned",
            Self::Resumed => "resumed",
        }
    }
}
