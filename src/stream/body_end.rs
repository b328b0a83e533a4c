//! The hooks at the end of a body.

use crate::{
    Error,
    attempt_log::{AttemptLog, BodyEnd, CallId},
    dialect::{AnswerInfo, UsageHandle},
};

/// Called once with the ending of a body.
pub(crate) type Hook = Box<dyn FnOnce(&BodyEnd) + Send + Sync>;

/// The state and the hooks of the end of a body, which happens once.
#[derive(Default)]
pub(crate) struct EndHooks {
    ending: Option<BodyEnd>,
    usage: UsageHandle,
    attempt_log: Option<AttemptLog>,
    /// The hooks, each with the call in which it was registered.
    hooks: Vec<(Option<CallId>, Hook)>,
}

// === impl EndHooks ===

impl EndHooks {
    pub(crate) fn ending(&self) -> Option<BodyEnd> {
        self.ending
    }

    /// The handle through which the usage of the answer is reported.
    pub(crate) fn usage(&self) -> UsageHandle {
        self.usage.clone()
    }

    /// Sets the attempt log that is added to the error of a body that fails.
    pub(crate) fn attempt_log(&mut self, attempt_log: AttemptLog) {
        self.attempt_log = Some(attempt_log);
    }

    /// Adds the attempt log to an error for the caller.
    pub(crate) fn tell(&self, error: Error) -> Error {
        match &self.attempt_log {
            Some(attempt_log) => error.with_attempt_log(attempt_log),
            None => error,
        }
    }

    /// Calls the hook at the end, or at once if the body has ended.
    pub(crate) fn call(&mut self, hook: Hook) {
        match &self.ending {
            Some(ending) => hook(ending),
            None => self.hooks.push((CallId::current(), hook)),
        }
    }

    /// The one place where a body gets its ending; the first ending is kept. The facts of the answer are set before the hooks run.
    pub(crate) fn settle(&mut self, ending: BodyEnd, answer: Option<AnswerInfo>) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        if let Some(answer) = answer {
            self.usage.settle(answer);
        }
        for (call, hook) in std::mem::take(&mut self.hooks) {
            let _call = call.map(CallId::enter);
            hook(&ending);
        }
    }
}
