//! The counts of one step of time.

use std::sync::Arc;

use evenkeel::outcome::Outcome;

use super::first_content::FirstContents;

/// An attempt that ended.
#[derive(Clone, Copy, Debug)]
pub(in crate::admin) struct EndedAttempt {
    pub(in crate::admin) outcome: Outcome,
}

/// A call that is over.
#[derive(Clone, Debug)]
pub(in crate::admin) struct EndedCall {
    pub(in crate::admin) outcome: Outcome,
    /// The fallback that answered.
    pub(in crate::admin) served_by: Option<Arc<str>>,
    /// Whether the caller got less than the answer of the first target.
    pub(in crate::admin) degraded: bool,
}

/// The counts of one step of time.
#[derive(Clone, Debug, Default)]
pub(in crate::admin) struct Bucket {
    pub(in crate::admin) calls: u32,
    pub(in crate::admin) attempts: u32,
    pub(in crate::admin) errors_callers: u32,
    pub(in crate::admin) errors_upstream: u32,
    pub(in crate::admin) degraded: u32,
    /// The calls by the names of their outcomes, which are few.
    pub(in crate::admin) outcomes: Vec<(&'static str, u32)>,
    /// The calls that were answered, by who answered them.
    pub(super) served: Vec<Served>,
    pub(in crate::admin) first_content: FirstContents,
}

/// The calls that one fallback has answered.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) name: Arc<str>,
    pub(super) calls: u32,
    pub(super) degraded: bool,
}

/// The most fallbacks that are counted one by one in a step: callers may name their own.
const MAX_SERVED: usize = 32;

// === impl EndedCall ===

impl EndedCall {
    /// Whether the caller has seen an error.
    pub(super) fn failed(&self) -> bool {
        is_failure(self.outcome)
    }
}

/// Whether an outcome is a failure: the same as in the metrics and the dashboard.
pub(in crate::admin) fn is_failure(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Success | Outcome::Blocked | Outcome::Cancelled)
}

// === impl Bucket ===

impl Bucket {
    /// Counts an attempt; one that our own breaker or limit refused was not sent.
    pub(super) fn attempt(&mut self, attempt: EndedAttempt) {
        if matches!(attempt.outcome, Outcome::NotSent { .. }) {
            return;
        }
        add_one(&mut self.attempts);
        if is_failure(attempt.outcome) {
            add_one(&mut self.errors_upstream);
        }
    }

    pub(super) fn call(&mut self, call: &EndedCall) {
        add_one(&mut self.calls);
        let name = call.outcome.name();
        match self.outcomes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => add_one(count),
            None => self.outcomes.push((name, 1)),
        }
        if call.failed() {
            return add_one(&mut self.errors_callers);
        }
        if call.degraded {
            add_one(&mut self.degraded);
        }
        if let Some(name) = &call.served_by {
            self.served_by(name, call.degraded);
        }
    }

    fn served_by(&mut self, name: &Arc<str>, degraded: bool) {
        if let Some(served) = self.served.iter_mut().find(|served| served.name == *name) {
            add_one(&mut served.calls);
            served.degraded = degraded;
        } else if self.served.len() < MAX_SERVED {
            self.served.push(Served { name: name.clone(), calls: 1, degraded });
        }
    }
}

fn add_one(count: &mut u32) {
    *count = count.saturating_add(1);
}
