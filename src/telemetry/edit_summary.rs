//! What a fallback changed in a request.

/// What a fallback's [`Edit`](crate::fallback::Edit) changed in a request: counts and names of tools, never text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EditSummary {
    /// Whether anything was changed.
    pub changed: bool,
    /// The tools that were dropped, at most [`MOST`](Self::MOST).
    pub tools: Vec<Box<str>>,
    /// The number of turns dropped.
    pub turns: usize,
    /// The number of images dropped.
    pub images: usize,
    /// The number of turns whose reasoning was removed.
    pub reasoning: usize,
    /// Whether the answer was limited to fewer tokens than the caller allows.
    pub capped: bool,
    /// Whether the answer is requested in one piece although the caller streams.
    pub unstreamed: bool,
}

// === impl EditSummary ===

impl EditSummary {
    /// The maximum number of tool names listed.
    pub const MOST: usize = 16;
}
