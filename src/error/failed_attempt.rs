//! What a layer below retries knows of an attempt that failed, to be decided when the call has ended.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

/// A failed attempt of a call that may still come to an answer. It is handed up in the result of the attempt, where no other
/// attempt sees it.
///
/// Dropped, it counts as the failure of its call. [`forgive`](Self::forgive) it where a retry brought the answer.
#[derive(Clone)]
pub(crate) struct FailedAttempt {
    until: Option<Instant>,
    pending: Option<Arc<Pending>>,
}

/// Who is told whether a call has failed.
pub(crate) trait Settle: Send + Sync {
    /// It has.
    fn fail(&self);

    /// It has not: a retry at the same route brought the answer.
    fn forgive(&self);
}

struct Pending {
    settle: Box<dyn Settle>,
    forgiven: AtomicBool,
}

// === impl FailedAttempt ===

impl FailedAttempt {
    /// One that is settled when the call has ended. `until`: when its route is let through again, where it is not now.
    pub(crate) fn new(until: Option<Instant>, settle: impl Settle + 'static) -> Self {
        let pending = Pending { settle: Box::new(settle), forgiven: AtomicBool::new(false) };
        Self { until, pending: Some(Arc::new(pending)) }
    }

    /// One that was counted.
    pub(crate) fn settled(until: Option<Instant>) -> Self {
        Self { until, pending: None }
    }

    /// When its route is let through again, where it is not now: a retry before it is in vain.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// The call did not fail by it.
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
