//! Whether a state can be forgotten.

use tokio::time::Instant;

/// What would be lost if a state were forgotten and made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rest {
    /// Nothing.
    Settled,
    /// Something that has lost its worth when nobody has used it for two hours.
    Fading,
    /// Something that holds now: it is open or closed for a time, or has calls that wait or are under way.
    Busy,
}

/// State that knows whether it can be forgotten.
pub(crate) trait AtRest {
    /// What would be lost at `now`. Decides nothing, emits nothing: it is asked under the lock of the table.
    fn rest(&self, now: Instant) -> Rest;
}
