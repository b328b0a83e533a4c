//! When files are read again.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

/// When files were read last. They are read by the calls that need them, so that nothing runs while there are none.
#[derive(Debug)]
pub(crate) struct Rereads(Mutex<Instant>);

/// How long files are taken to be unchanged.
pub(crate) const EVERY: Duration = Duration::from_secs(30);
/// The least time between two reads.
pub(crate) const SOONEST: Duration = Duration::from_secs(1);
/// The most time of a call for it. A file system of the network may take longer, and then a later call sees the change.
const PATIENCE: Duration = Duration::from_secs(2);

// === impl Rereads ===

impl Rereads {
    /// The files were read just now.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Runs `read` on a thread for blocking work if the last time is at least `age` ago; returns whether it did.
    pub(crate) async fn after(&self, age: Duration, read: impl FnOnce() + Send + 'static) -> bool {
        if !self.is_due(age) {
            return false;
        }
        let _ = timeout(PATIENCE, spawn_blocking(read)).await;
        true
    }

    /// Returns whether a read is due; `true` to only one of several concurrent calls.
    fn is_due(&self, age: Duration) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.elapsed() >= age;
        if due {
            *last = Instant::now();
        }
        due
    }
}
