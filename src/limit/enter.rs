//! How a call asks the limiter for admission.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    cost::Cost,
    queued_call::QueuedCall,
    route_limiter::{Permit, RouteLimiter},
    state::{Admission, AdmissionRequest, DecisionInput},
};
use crate::context::Priority;

/// A request of a call for admission.
#[derive(Clone, Copy, Debug)]
pub(super) struct EnterRequest {
    pub(super) priority: Priority,
    pub(super) cost: Cost,
    pub(super) deadline: Option<Instant>,
    /// Whether the call may wait at all.
    pub(super) may_queue: bool,
}

/// The decision about a call.
pub(super) enum EnterResult {
    Admitted(Permit),
    Queued { call: QueuedCall, expected: Duration },
    Refused { retry_in: Duration },
}

// === impl RouteLimiter ===

impl RouteLimiter {
    /// Asks for admission of a call.
    pub(super) fn enter(
        self: &Arc<Self>,
        request: EnterRequest,
        input: DecisionInput,
    ) -> EnterResult {
        let EnterRequest { priority, cost, deadline, may_queue } = request;
        let needed = self.min_attempt_time();
        let latest_start =
            deadline.map(|deadline| deadline.checked_sub(needed).unwrap_or(input.now));
        let request = AdmissionRequest { priority, cost, latest_start, may_queue };
        match self.decide(|state| state.admit(request, input)) {
            Admission::Admitted(grant) => EnterResult::Admitted(Permit::new(self.clone(), grant)),
            Admission::Refused { retry_in } => EnterResult::Refused { retry_in },
            Admission::Queued { position, expected } => {
                let call = QueuedCall::new(self.clone(), position);
                EnterResult::Queued { call, expected }
            }
        }
    }
}
