//! The order in which connections make room for others.

use tokio::time::Instant;

/// A connection that waits for its peer: what it is worth to keep, the least first, and since when it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) worth: Worth,
    pub(super) since: Instant,
}

/// The order in which connections are closed in favour of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// It has never sent a whole request, and had a second to do so.
    Unused,
    /// It is between two requests.
    Kept,
    /// A call whose body does not arrive or whose answer is not read, for five seconds.
    Stalled,
    /// It has just been opened.
    Fresh,
}

// === impl Waiting ===

impl Waiting {
    /// Whether it is between two requests.
    pub(super) fn is_kept(&self) -> bool {
        self.worth == Worth::Kept
    }
}
