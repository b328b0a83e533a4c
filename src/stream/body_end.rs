//! How a body ended.

use crate::{
    Error,
    context::AttemptLog,
    dialect::{Tokens, Usage},
    outcome::Outcome,
};

/// How a body ended. Every body has exactly one ending, also one that is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyEnd {
    /// Whole: the API's own end was seen, or the bytes of a body without one ended as HTTP says they should.
    Done,
    /// The bytes ended, or the connection broke, before the API's own end.
    Truncated,
    /// An error in the stream, or a limit of ours that passed in silence.
    Failed(Outcome),
    /// Dropped by the caller before its end.
    Cancelled,
}

/// Called once with the ending of a body.
pub(crate) type Hook = Box<dyn FnOnce(&BodyEnd) + Send + Sync>;

/// What happens at the end of a body, once.
#[derive(Default)]
pub(crate) struct EndHooks {
    ending: Option<BodyEnd>,
    usage: Usage,
    attempt_log: Option<AttemptLog>,
    hooks: Vec<Hook>,
}

// === impl BodyEnd ===

impl BodyEnd {
    /// What an attempt whose body ended so came to.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Done => Outcome::Success,
            Self::Truncated => Outcome::Truncated,
            Self::Failed(outcome) => *outcome,
            Self::Cancelled => Outcome::Cancelled,
        }
    }
}

impl From<Outcome> for BodyEnd {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Done,
            Outcome::Truncated => Self::Truncated,
            Outcome::Cancelled => Self::Cancelled,
            other => Self::Failed(other),
        }
    }
}

// === impl EndHooks ===

impl EndHooks {
    pub(crate) fn ending(&self) -> Option<BodyEnd> {
        self.ending
    }

    /// Where the cost of the answer is told.
    pub(crate) fn usage(&self) -> Usage {
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
            None => self.hooks.push(hook),
        }
    }

    /// The one place where a body gets its ending; the first stays. The cost is known before the hooks run.
    pub(crate) fn settle(&mut self, ending: BodyEnd, cost: Option<Tokens>) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        self.usage.settle(cost);
        for hook in std::mem::take(&mut self.hooks) {
            hook(&ending);
        }
    }
}
