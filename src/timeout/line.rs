//! The connection of an attempt, as its transport reports it.

use tokio::time::Instant;

use crate::{
    context::{Admission, AttemptContext, Lost, Route},
    telemetry::{EventKind, EventSink},
};

/// Where the transport reports of the connection, and whose attempt it is.
pub(super) struct Line {
    admission: Admission,
    route: Route,
}

// === impl Line ===

impl Line {
    pub(super) fn of(attempt: &AttemptContext) -> Option<Self> {
        Some(Self { admission: attempt.admission.clone()?, route: attempt.known_route()?.clone() })
    }

    /// A limit of ours has passed. Whether the silence is that of a kept connection.
    pub(super) fn is_silent(&self) -> bool {
        self.admission.connection().is_silent(Instant::now())
    }

    /// Tells that a kept connection was dead, if one was.
    pub(super) fn report(&self, events: &EventSink) {
        if let Some(Lost { sent_again }) = self.admission.connection().take_lost() {
            events.emit(EventKind::ConnectionLost { route: self.route.clone(), sent_again });
        }
    }
}
