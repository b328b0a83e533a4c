//! What happens at the end of a body.

use crate::{
    Error,
    attempt_log::{AttemptLog, BodyEnd, CallId},
    dialect::{Usage, UsageHandle},
};

/// Called once with the ending of a body.
pub(crate) type Hook = Box<dyn FnOnce(&BodyEnd) + Send + Sync>;

/// What happens at the end of a body, once.
#[derive(Default)]
pub(crate) struct EndHooks {
    ending: Option<BodyEnd>,
    usage: UsageHandle,
    attempt_log: Option<AttemptLog>,
    /// With the call that each was made in.
    hooks: Vec<(Option<CallId>, Hook)>,
}

// === impl EndHooks ===

impl EndHooks {
    pub(crate) fn ending(&self) -> Option<BodyEnd> {
        self.ending
    }

    /// Where the cost of the answer is told.
    pub(crate) fn usage(&self) -> UsageHandle {
        self.usage.clone()
    }

    /// Puts the attempt log into the error of a body that fails.
    pub(crate) fn attempt_log(&mut self, attempt_log: AttemptLog) {
        self.attempt_log = Some(attempt_log);
    }

    /// An error as it is told to the caller.
    pub(crate) fn tell(&self, error: Error) -> Error {
        match &self.attempt_log {
            Some(attempt_log) => error.with_attempt_log(attempt_log),
            None => error,
        }
    }

    /// Calls the hook at the end, or at once when that is past.
    pub(crate) fn call(&mut self, hook: Hook) {
        match &self.ending {
            Some(ending) => hook(ending),
            None => self.hooks.push((CallId::current(), hook)),
        }
    }

    /// The one place where a body gets its ending; the first stays. The cost is known before the hooks run.
    pub(crate) fn settle(&mut self, ending: BodyEnd, cost: Option<Usage>) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        self.usage.settle(cost);
        for (call, hook) in std::mem::take(&mut self.hooks) {
            let _call = call.map(CallId::enter);
            hook(&ending);
        }
    }
}
