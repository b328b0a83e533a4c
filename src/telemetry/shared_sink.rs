//! The sink of a layer whose services and handles were given out already.

use std::sync::{PoisonError, RwLock};

use super::{EventKind, EventSink};

/// A sink that can be replaced: all who share it send to the last one set.
#[derive(Debug, Default)]
pub(crate) struct SharedSink(RwLock<EventSink>);

// === impl SharedSink ===

impl SharedSink {
    /// The sink in the place of the one before.
    pub(crate) fn set(&self, events: EventSink) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = events;
    }

    /// The sink that is set now.
    pub(crate) fn get(&self) -> EventSink {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends an event of the current call. The listener is called without the lock.
    pub(crate) fn emit(&self, kind: EventKind) {
        self.get().emit(kind);
    }
}
