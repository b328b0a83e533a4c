//! What a fallback changed in a request.

/// What a fallback's [`Edit`](crate::fallback::Edit) changed in a request: counts and names of tools, no word of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EditSummary {
    /// Whether anything is asked otherwise than it was.
    pub changed: bool,
    /// The tools that were dropped, at most [`MOST`](Self::MOST).
    pub tools: Vec<Box<str>>,
    /// How many turns were dropped.
    pub turns: usize,
    /// How many images were dropped.
    pub images: usize,
    /// Whether the answer may be less long than the caller allowed.
    pub capped: bool,
    /// Whether the answer is asked for in one piece although the caller streams.
    pub unstreamed: bool,
}

// === impl EditSummary ===

impl EditSummary {
    /// How many names of tools are told.
    pub const MOST: usize = 16;
}
