//! The failures of the fallbacks so far, and whether the call ends with one.

use std::time::Duration;

use crate::{
    Error, Response,
    error::judge,
    outcome::{Outcome, Rejection},
};

/// The failure of the first target, and the outcome of the last fallback.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) first: Result<Response, Error>,
    pub(super) last: Outcome,
    pub(super) at: usize,
    /// The shortest wait that any of the fallbacks reported.
    pub(super) again: Option<Duration>,
    /// Whether any attempt was sent.
    pub(super) sent: bool,
    /// Whether a provider may have acted on the request.
    pub(super) acted: bool,
}

// === impl Failure ===

impl Failure {
    /// Adds the failure of one more fallback.
    pub(super) fn after(before: Option<Self>, result: Result<Response, Error>, at: usize) -> Self {
        let verdict = judge(&result);
        let (last, acted) = (verdict.outcome(), verdict.may_have_acted());
        let again = last.wait();
        let sent = !matches!(last, Outcome::NotSent { .. });
        match before {
            None => Self { first: result, last, at, again, sent, acted },
            Some(before) => {
                let again = before.again.into_iter().chain(again).min();
                let (sent, acted) = (sent || before.sent, acted || before.acted);
                Self { first: before.first, last, at, again, sent, acted }
            }
        }
    }

    /// Adds the failure of the targets below, which ran concurrently.
    pub(super) fn and(self, below: Self) -> Self {
        let again = self.again.into_iter().chain(below.again).min();
        let asked = below.at > self.at;
        let (last, at) = if asked { (below.last, below.at) } else { (self.last, self.at) };
        let (sent, acted) = (self.sent || below.sent, self.acted || below.acted);
        Self { first: self.first, last, at, again, sent, acted }
    }

    /// A failure without a sent attempt: a local refusal, or the end of the call's time.
    pub(super) fn of(last: Outcome, at: usize) -> Self {
        Self { first: Err(Error::new(last)), last, at, again: None, sent: false, acted: false }
    }
}

/// Whether the call ends with this failure. For the first target the outcome decides. Below it, a request that one target rejects
/// as wrong may be right for the next one: the first target did not reject it.
pub(super) fn stops(outcome: Outcome, at: usize) -> bool {
    let elsewhere = at > 0 && outcome == Outcome::Rejected { why: Rejection::Request };
    !outcome.allows_fallback() && !elsewhere
}
