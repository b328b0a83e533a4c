//! The sink that layers emit events to.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use super::{Event, EventKind, UserCode, log, log_limit::LogLimit};
use crate::attempt_log::CallId;

/// Listens to events: a closure, or a type that implements this trait. Called inline, so it must be quick; never called under a
/// lock of this crate.
///
/// A listener that panics is called again with the next event. Its panic never fails a call.
pub trait Observer: Send + Sync + 'static {
    /// Called for each event.
    fn observe(&self, event: &Event);
}

/// The destination of a layer's events: always `tracing`, and a listener if there is one.
#[derive(Clone, Default)]
pub struct EventSink {
    listener: Option<Arc<dyn Observer>>,
    /// The kinds of user code whose panics were reported, one bit each.
    told: Arc<AtomicU8>,
    /// The warnings that were logged a moment ago.
    logged: Arc<LogLimit>,
}

// === impl EventSink ===

impl EventSink {
    /// Sends events to that listener as well.
    pub fn new(listener: impl Observer) -> Self {
        Self { listener: Some(Arc::new(listener)), ..Self::default() }
    }

    /// Emits an event of the current call.
    pub(crate) fn emit(&self, kind: EventKind) {
        log::record(&kind, &self.logged);
        let Some(listener) = &self.listener else { return };
        let event = Event { call: CallId::current(), kind };
        // The listener may be called in a drop, where an escaping panic would abort the process.
        let observed = catch_unwind(AssertUnwindSafe(|| listener.observe(&event)));
        if observed.is_err() && self.is_first(UserCode::Listener) {
            // Not to the listener: it would panic again.
            log::record(&EventKind::Panicked { code: UserCode::Listener }, &self.logged);
        }
    }

    /// The result of user code; `None` if it panicked, which is reported.
    pub(crate) fn guard<T>(&self, code: UserCode, work: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(work)).ok();
        if done.is_none() {
            self.panicked(code);
        }
        done
    }

    /// Reports a panic of user code, once for each kind.
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
