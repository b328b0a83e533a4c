//! Arithmetic with times that never overflows.

use std::time::Duration;

use tokio::time::Instant;

/// `now + limit`, or some thirty years on where that is past the end of time.
pub(crate) fn saturating_add(now: Instant, limit: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(limit.min(FAR)).unwrap_or(now)
}

/// A time, `by` so much; zero where the product is none.
pub(crate) fn scale(time: Duration, by: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * by).unwrap_or(Duration::ZERO)
}
