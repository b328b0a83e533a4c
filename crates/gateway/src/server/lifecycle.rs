//! The phases of the process, and the request to drain that does not come from a signal.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::sync::Notify;

/// A phase of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No connection is accepted yet.
    Starting,
    /// Connections are accepted.
    Listening,
    /// No new connection is accepted; requests in flight have the drain time.
    Draining,
}

/// A handle to the phase of the process. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    phase: AtomicU8,
    drain: Notify,
}

// === impl Lifecycle ===

impl Lifecycle {
    pub(crate) fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Listening,
            _ => Phase::Draining,
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Requests a drain, as the first SIGTERM does. A second request changes nothing.
    pub(crate) fn request_drain(&self) {
        self.0.drain.notify_one();
    }

    /// Waits until a drain is requested.
    pub(super) async fn drain_requested(&self) {
        self.0.drain.notified().await;
    }
}
