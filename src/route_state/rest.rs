//! Whether a state can be evicted.

use tokio::time::Instant;

/// What would be lost if a state were evicted and created again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rest {
    /// Nothing.
    Settled,
    /// Information that is worthless after two hours without use.
    Fading,
    /// Information that matters now: the route is open or closed for a time, or has calls that wait or are under way.
    Busy,
}

/// State that reports whether it can be evicted.
pub(crate) trait AtRest {
    /// What would be lost at `now`. Must not decide or emit anything, since it is called under the lock of the table.
    fn rest(&self, now: Instant) -> Rest;
}
