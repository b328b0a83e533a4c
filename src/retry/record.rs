//! Where the attempts of a call are recorded, and whose budget they draw on.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Budget;
use crate::{
    Request,
    context::{AttemptLog, CallContext, Deadline, Route, least_attempt},
    telemetry::{EventKind, EventSink},
};

/// What the record of an attempt needs to know of its call.
pub(super) struct CallRecord {
    pub(super) events: EventSink,
    pub(super) attempt_log: AttemptLog,
    pub(super) deadline: Option<Deadline>,
    pub(super) fallback: u16,
    pub(super) name: Option<Arc<str>>,
}

/// Where an attempt goes, and the budget there.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) route: Route,
    pub(super) budget: Arc<Budget>,
}

/// One attempt to come: the request for its target, and the caller's own for another, where there can be one.
pub(super) struct PlannedAttempt {
    pub(super) request: Request,
    pub(super) spare: Option<Request>,
    pub(super) at: Destination,
}

/// Where the next attempt of a call goes.
pub(super) enum NextAttempt {
    /// To another of the equal targets, at once.
    OtherTarget,
    /// To the same target after that wait, or to any of the equal ones.
    After(Duration),
}

// === impl NextAttempt ===

impl NextAttempt {
    pub(super) fn wait(&self) -> Duration {
        match self {
            Self::OtherTarget => Duration::ZERO,
            Self::After(wait) => *wait,
        }
    }
}

// === impl CallRecord ===

impl CallRecord {
    /// How long the call has left at `now`; `None` where it has no deadline.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.left(now))
    }

    pub(super) fn emit(&self, event: EventKind) {
        self.events.emit(event);
    }
}

/// With how little time an attempt of that call is started.
pub(super) fn least(call: &CallContext, now: Instant) -> Option<Duration> {
    let alone = || call.deadline.map(|deadline| least_attempt(deadline.left(now)));
    call.min_attempt_time.or_else(alone)
}
