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
    /// The bounds of these limits. What is in use under those `before` counts in them too, and the name of the process stays.
    pub(crate) fn new(limits: &GatewayLimits, before: Option<&Self>) -> Self {
        let bytes = limits.body_budget.max(limits.body);
        let budget = before.map(|before| before.budget.clone()).filter(|it| it.bytes() == bytes);
        Self {
            body: limits.body,
            budget: budget.unwrap_or_else(|| BodyBudget::new(bytes)),
            work: before.map_or_else(LongWork::new, |before| before.work.clone()),
            hop: before.map_or_else(Hop::random, |before| before.hop.clone()),
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
