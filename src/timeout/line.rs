//! The connection of an attempt, as reported by its transport.

use tokio::time::Instant;

use crate::{
    context::{Admission, AttemptContext, Lost, Route},
    telemetry::{EventKind, EventSink},
};

/// The transport's reports about the connection, and the route of the attempt.
pub(super) struct Line {
    admission: Admission,
    route: Route,
}

// === impl Line ===

impl Line {
    pub(super) fn of(attempt: &AttemptContext) -> Option<Self> {
        Some(Self { admission: attempt.admission.clone()?, route: attempt.known_route()?.clone() })
    }

    /// Whether the silence before a passed limit is that of a kept connection.
    pub(super) fn is_silent(&self) -> bool {
        self.admission.connection().is_silent(Instant::now())
    }

    /// Emits an event if a kept connection was dead.
    pub(super) fn report(&self, events: &EventSink) {
        if let Some(Lost { sent_again }) = self.admission.connection().take_lost() {
            events.emit(EventKind::ConnectionLost { route: self.route.clone(), sent_again });
        }
    }
}
