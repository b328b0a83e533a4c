//! Where the attempts of a call are recorded, and whose budget they draw on.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Budget;
use crate::{
    context::{AttemptLog, Deadline, Route},
    telemetry::{Event, Events},
};

/// What the record of an attempt needs to know of its call.
pub(super) struct CallRecord {
    pub(super) events: Events,
    pub(super) attempt_log: AttemptLog,
    pub(super) deadline: Option<Deadline>,
    pub(super) rung: u16,
    pub(super) name: Option<Arc<str>>,
}

/// Where an attempt goes, and the budget there.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) route: Route,
    pub(super) budget: Arc<Budget>,
}

// === impl CallRecord ===

impl CallRecord {
    /// How long the call has left at `now`; `None` where it has no deadline.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.left(now))
    }

    pub(super) fn emit(&self, event: Event) {
        self.events.emit(event);
    }
}
