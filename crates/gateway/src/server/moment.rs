//! A point in time that tasks share without a lock.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

/// A point in time in milliseconds after the connection was opened, or none.
#[derive(Debug, Default)]
pub(super) struct Moment(AtomicU64);

// === impl Moment ===

impl Moment {
    pub(super) fn set(&self, opened: Instant, at: Instant) {
        let millis = at.saturating_duration_since(opened).as_millis();
        self.0.store(u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1, Relaxed);
    }

    pub(super) fn clear(&self) {
        self.0.store(0, Relaxed);
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.load(Relaxed) == 0
    }

    pub(super) fn read(&self, opened: Instant) -> Option<Instant> {
        self.0.load(Relaxed).checked_sub(1).map(|millis| opened + Duration::from_millis(millis))
    }
}
