//! A sink that can be set after services and handles of a layer were created.

use std::sync::{PoisonError, RwLock};

use super::{EventKind, EventSink};

/// A sink that can be replaced: all clones of a layer emit to the last one set.
#[derive(Debug, Default)]
pub(crate) struct SharedSink(RwLock<EventSink>);

// === impl SharedSink ===

impl SharedSink {
    /// Replaces the sink.
    pub(crate) fn set(&self, events: EventSink) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = events;
    }

    /// The current sink.
    pub(crate) fn get(&self) -> EventSink {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Emits an event of the current call. The listener is called without the lock.
    pub(crate) fn emit(&self, kind: EventKind) {
        self.get().emit(kind);
    }
}
