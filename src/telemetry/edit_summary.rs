//! What a fallback changed in a request.

/// What was changed in the request for a fallback, by its [`Edit`](crate::fallback::Edit) or by what its target accepts: counts,
/// names of tools and paths of fields, never text.
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
    /// The paths of the single fields that were changed, at most [`MOST`](Self::MOST).
    pub fields: Vec<Box<str>>,
    /// Whether the answer was limited to fewer tokens than the caller allows.
    pub capped: bool,
    /// Whether the answer is requested in one piece although the caller streams.
    pub unstreamed: bool,
}

// === impl EditSummary ===

impl EditSummary {
    /// The maximum number of names listed.
    pub const MOST: usize = 16;

    /// Adds what another step changed in the same request.
    pub(crate) fn add(&mut self, other: Self) {
        self.changed |= other.changed;
        self.capped |= other.capped;
        self.unstreamed |= other.unstreamed;
        self.turns += other.turns;
        self.images += other.images;
        self.reasoning += other.reasoning;
        self.tools.extend(other.tools);
        self.fields.extend(other.fields);
        self.tools.truncate(Self::MOST);
        self.fields.truncate(Self::MOST);
    }

    /// The summary of a request of which single fields were changed.
    pub(crate) fn of_fields(mut fields: Vec<Box<str>>) -> Self {
        fields.truncate(Self::MOST);
        Self { changed: true, fields, ..Self::default() }
    }
}
