//! The bounds of calls: what a caller can neither exceed nor widen.

use std::time::Duration;

use evenkeel::CallOptions;

use super::{body_budget::BodyBudget, hops::Hop, long_work::LongWork};
use crate::limits::GatewayLimits;

/// The bounds of all calls of a gateway.
#[derive(Debug)]
pub(crate) struct CallBounds {
    /// The largest request body that is buffered, in bytes.
    pub(super) body: usize,
    pub(super) budget: BodyBudget,
    pub(super) work: LongWork,
    pub(super) hop: Hop,
    /// The longest deadline of a call in a known dialect, and that of another request.
    deadlines: [Duration; 2],
}

// === impl CallBounds ===

impl CallBounds {
    pub(crate) fn new(limits: &GatewayLimits) -> Self {
        Self {
            body: limits.body,
            budget: BodyBudget::new(limits.body_budget.max(limits.body)),
            work: LongWork::new(),
            hop: Hop::random(),
            deadlines: [limits.chat_deadline, limits.other_deadline],
        }
    }

    /// The options of a call within the bounds: a deadline can be shortened, never extended.
    pub(super) fn clamp(&self, options: CallOptions, known: bool) -> CallOptions {
        options.deadline_at_most(self.deadline(known))
    }

    /// The longest deadline. `known`: of a call in a known dialect.
    pub(super) fn deadline(&self, known: bool) -> Duration {
        let [chat, other] = self.deadlines;
        if known { chat } else { other }
    }
}
