//! What the transport reports about the connection of an attempt.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tokio::time::Instant;

use crate::sync::lock_std as lock;

/// What the transport reports about the connection of one attempt, for the layers above it.
#[derive(Default)]
pub(crate) struct Connection(Mutex<Report>);

#[derive(Default)]
struct Report {
    waiting: Option<Arc<dyn Waiting>>,
    is_at_fault: bool,
    lost: Option<Lost>,
}

/// A request that was sent and has no answer yet. Checked when a timeout has passed.
pub(crate) trait Waiting: Send + Sync {
    /// Whether a connection kept from an earlier request is at fault, and not the provider.
    fn is_connection_at_fault(&self, now: Instant) -> bool;
}

/// A kept connection that was found dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Whether the request was sent again on a new connection.
    pub(crate) sent_again: bool,
}

// === impl Connection ===

#[cfg_attr(not(feature = "hyper"), allow(dead_code))]
impl Connection {
    /// Records that a request was sent.
    pub(crate) fn waits(&self, waiting: Arc<dyn Waiting>) {
        lock(&self.0).waiting = Some(waiting);
    }

    /// Records that the request was answered, or its connection broke.
    pub(crate) fn heard(&self) {
        lock(&self.0).waiting = None;
    }

    /// Records that the connection was a kept one, and dead. If the request was not sent again, the attempt failed for that
    /// reason alone.
    pub(crate) fn lost(&self, lost: Lost) {
        let mut report = lock(&self.0);
        (report.lost, report.is_at_fault) = (Some(lost), !lost.sent_again);
    }

    /// Called after a timeout: whether the attempt's connection is at fault, and not the provider.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        let waiting = lock(&self.0).waiting.take();
        let at_fault = waiting.is_some_and(|waiting| waiting.is_connection_at_fault(now));
        if at_fault {
            self.lost(Lost { sent_again: false });
        }
        at_fault
    }

    /// Whether the attempt failed only because of its connection, which does not count against the provider.
    pub(crate) fn is_at_fault(&self) -> bool {
        lock(&self.0).is_at_fault
    }

    /// Takes the loss, if it was not reported yet.
    pub(crate) fn take_lost(&self) -> Option<Lost> {
        lock(&self.0).lost.take()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = lock(&self.0);
        f.debug_struct("Connection")
            .field("is_at_fault", &report.is_at_fault)
            .finish_non_exhaustive()
    }
}
