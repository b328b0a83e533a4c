//! The time of the day, for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Milliseconds since 1970.
pub(super) type UnixMillis = u64;

/// The time of the day now.
pub(super) fn unix_now() -> UnixMillis {
    // A clock before 1970 is not set.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// The time of the day at a moment in the past, given the time of the day now.
pub(super) fn unix_of(moment: Instant, now: UnixMillis) -> UnixMillis {
    now.saturating_sub(millis(moment.elapsed()))
}

/// Whole milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
