//! A failed attempt, to be recorded by a layer below retries when the call has ended.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

/// A failed attempt of a call that may still be answered. It is passed up in the result of the attempt, where no other attempt
/// sees it.
///
/// Dropped, it counts as the failure of its call. Call [`forgive`](Self::forgive) if a retry brought the answer.
#[derive(Clone)]
pub(crate) struct FailedAttempt {
    until: Option<Instant>,
    pending: Option<Arc<Pending>>,
}

/// Gets the result of the call.
pub(crate) trait Settle: Send + Sync {
    /// The call has failed.
    fn fail(&self);

    /// The call has not failed: a retry at the same route brought the answer.
    fn forgive(&self);
}

struct Pending {
    settle: Box<dyn Settle>,
    forgiven: AtomicBool,
}

// === impl FailedAttempt ===

impl FailedAttempt {
    /// A failure that is settled when the call has ended. `until`: when its route lets calls through again; `None` if it does
    /// now.
    pub(crate) fn new(until: Option<Instant>, settle: impl Settle + 'static) -> Self {
        let pending = Pending { settle: Box::new(settle), forgiven: AtomicBool::new(false) };
        Self { until, pending: Some(Arc::new(pending)) }
    }

    /// A failure that is already counted.
    pub(crate) fn settled(until: Option<Instant>) -> Self {
        Self { until, pending: None }
    }

    /// When its route lets calls through again; `None` if it does now. A retry before then is in vain.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Records that the call did not fail because of this attempt.
    pub(crate) fn forgive(self) {
        if let Some(pending) = self.pending {
            // Relaxed: nothing else is published with it.
            if !pending.forgiven.swap(true, Ordering::Relaxed) {
                pending.settle.forgive();
            }
        }
    }
}

impl fmt::Debug for FailedAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedAttempt").field("until", &self.until).finish_non_exhaustive()
    }
}

// === impl Pending ===

impl Drop for Pending {
    fn drop(&mut self) {
        if !*self.forgiven.get_mut() {
            self.settle.fail();
        }
    }
}
