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

    /// Called once for each client that is built, with its fallbacks in order, the first included. Does nothing by default.
    fn configured(&self, fallbacks: &[ConfiguredFallback]) {
        let _ = fallbacks;
    }
}

/// A fallback of a client, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfiguredFallback {
    /// The name of the fallback.
    pub name: Arc<str>,
    /// The number of its targets: several if it has equal ones, 0 if it answers by itself, such as a canned reply.
    pub targets: u16,
}

/// The destination of a layer's events: always `tracing`, and listeners if there are some.
#[derive(Clone, Default)]
pub struct EventSink {
    listeners: Arc<[Arc<dyn Observer>]>,
    /// The kinds of user code whose panics were reported, one bit each.
    told: Arc<AtomicU8>,
    /// The warnings that were logged a moment ago.
    logged: Arc<LogLimit>,
}

// === impl EventSink ===

impl EventSink {
    /// Sends events to that listener as well.
    pub fn new(listener: impl Observer) -> Self {
        Self::default().and(listener)
    }

    /// Sends events to one more listener. Each event goes to all listeners, in the order in which they were added.
    #[must_use]
    pub fn and(self, listener: impl Observer) -> Self {
        let added: Arc<dyn Observer> = Arc::new(listener);
        Self { listeners: self.listeners.iter().cloned().chain([added]).collect(), ..self }
    }

    /// Emits an event of the current call.
    pub(crate) fn emit(&self, kind: EventKind) {
        log::record(&kind, &self.logged);
        if self.listeners.is_empty() {
            return;
        }
        let event = Event { call: CallId::current(), kind };
        self.listeners.iter().for_each(|listener| self.call(|| listener.observe(&event)));
    }

    /// Passes the fallbacks of a client to the listeners.
    pub(crate) fn configured(&self, fallbacks: &[ConfiguredFallback]) {
        self.listeners.iter().for_each(|listener| self.call(|| listener.configured(fallbacks)));
    }

    /// Calls a listener. It may be called in a drop, where an escaping panic would abort the process.
    fn call(&self, listener: impl FnOnce()) {
        let called = catch_unwind(AssertUnwindSafe(listener));
        if called.is_err() && self.is_first(UserCode::Listener) {
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
        write!(f, "EventSink({} listeners)", self.listeners.len())
    }
}
