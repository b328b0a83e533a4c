//! What the transport knows of the connection that an attempt went out on.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tokio::time::Instant;

use crate::sync::lock_std as lock;

/// What the transport reports of the connection of one attempt, for the layers above it.
#[derive(Default)]
pub(crate) struct Connection(Mutex<Report>);

#[derive(Default)]
struct Report {
    waiting: Option<Arc<dyn Waiting>>,
    is_at_fault: bool,
    lost: Option<Lost>,
}

/// A request that was sent and has no answer yet. Asked when a limit on its silence has passed.
pub(crate) trait Waiting: Send + Sync {
    /// Whether the silence is that of a connection that was kept from an earlier request, and not the provider's.
    fn is_connection_at_fault(&self, now: Instant) -> bool;
}

/// A kept connection that was found dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Whether the request was sent again on a new connection.
    pub(crate) sent_again: bool,
}

// === impl Connection ===

#[cfg_attr(not(feature = "reqwest"), allow(dead_code))]
impl Connection {
    /// A request was sent.
    pub(crate) fn waits(&self, waiting: Arc<dyn Waiting>) {
        lock(&self.0).waiting = Some(waiting);
    }

    /// It was answered, or its connection broke.
    pub(crate) fn heard(&self) {
        lock(&self.0).waiting = None;
    }

    /// The connection was a kept one, and dead. Where the request was not sent again, the attempt failed by that alone.
    pub(crate) fn lost(&self, lost: Lost) {
        let mut report = lock(&self.0);
        (report.lost, report.is_at_fault) = (Some(lost), !lost.sent_again);
    }

    /// A limit on the silence of the attempt has passed. Whether its connection is at fault, and not the provider.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        let waiting = lock(&self.0).waiting.take();
        let at_fault = waiting.is_some_and(|waiting| waiting.is_connection_at_fault(now));
        if at_fault {
            self.lost(Lost { sent_again: false });
        }
        at_fault
    }

    /// Whether the attempt failed by its connection alone: it says nothing of the provider.
    pub(crate) fn is_at_fault(&self) -> bool {
        lock(&self.0).is_at_fault
    }

    /// The loss that was not reported yet.
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
