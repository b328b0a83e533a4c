//! The time for which the switch is on.

use tokio::time::Instant;

/// The time for which the switch is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// The number of this period among those of the switch, from 1.
    pub(super) number: u64,
    pub(super) since: Instant,
    pub(super) until: Instant,
}
