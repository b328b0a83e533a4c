//! The record of a call's attempts, and the budget they draw on.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Budget;
use crate::{
    Request,
    context::{AttemptLog, CallContext, Deadline, Route, least_attempt},
    telemetry::{EventKind, EventSink, ProviderName},
};

/// The properties of a call that its attempt records need.
pub(super) struct CallRecord {
    pub(super) events: EventSink,
    pub(super) attempt_log: AttemptLog,
    pub(super) deadline: Option<Deadline>,
    pub(super) fallback: u16,
    pub(super) name: Option<Arc<str>>,
}

/// The route of an attempt, and its budget.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) route: Route,
    pub(super) provider: ProviderName,
    pub(super) budget: Arc<Budget>,
    /// The position of the target among its equals, if it has some.
    pub(super) equal: Option<u16>,
}

/// A planned attempt: the request for its target, and the caller's own request for a further attempt, if one is possible.
pub(super) struct PlannedAttempt {
    pub(super) request: Request,
    pub(super) spare: Option<Request>,
    pub(super) at: Destination,
}

// === impl CallRecord ===

impl CallRecord {
    /// The time that the call has left at `now`; `None` without a deadline.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.left(now))
    }

    pub(super) fn emit(&self, event: EventKind) {
        self.events.emit(event);
    }
}

/// The least time left for which an attempt of the call is started.
pub(super) fn least(call: &CallContext, now: Instant) -> Option<Duration> {
    let alone = || call.deadline.map(|deadline| least_attempt(deadline.left(now)));
    call.min_attempt_time.or_else(alone)
}
