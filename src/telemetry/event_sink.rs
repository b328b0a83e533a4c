//! Where events go.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use super::{Event, EventKind, UserCode};
use crate::attempt_log::CallId;

/// Listens to events: a closure, or a type of yours. Called in line, so it must be quick; never under a lock of ours.
///
/// A listener that panics is called again with the next event, and nothing else comes of it: no call fails by it.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of one event.
    fn observe(&self, event: &Event);
}

/// Where a layer sends its events: always to `tracing`, and to a listener if there is one.
#[derive(Clone, Default)]
pub struct EventSink {
    listener: Option<Arc<dyn Observer>>,
    /// Whose panics were told, one bit each.
    told: Arc<AtomicU8>,
}

// === impl EventSink ===

impl EventSink {
    /// Sends events to that listener as well.
    pub fn new(listener: impl Observer) -> Self {
        Self { listener: Some(Arc::new(listener)), told: Arc::default() }
    }

    /// Sends an event of the current call.
    pub(crate) fn emit(&self, kind: EventKind) {
        super::tracing::record(&kind);
        let Some(listener) = &self.listener else { return };
        let event = Event { call: CallId::current(), kind };
        // It may be called in a drop, where a panic that got out would end the process.
        let observed = catch_unwind(AssertUnwindSafe(|| listener.observe(&event)));
        if observed.is_err() && self.is_first(UserCode::Listener) {
            // Not to the listener: it would panic again.
            super::tracing::record(&EventKind::Panicked { code: UserCode::Listener });
        }
    }

    /// What code of the user's comes to; `None` where it panicked, which is told.
    pub(crate) fn guard<T>(&self, code: UserCode, work: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(work)).ok();
        if done.is_none() {
            self.panicked(code);
        }
        done
    }

    /// Code of the user's has panicked. Told once for each kind.
    pub(crate) fn panicked(&self, code: UserCode) {
        if self.is_first(code) {
            self.emit(EventKind::Panicked { code });
        }
    }

    fn is_first(&self, code: UserCode) -> bool {
        let bit = 1 << code as u8;
        self.told.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

impl fmt::Debug for EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.listener.is_some() { "EventSink(listener)" } else { "EventSink" })
    }
}
