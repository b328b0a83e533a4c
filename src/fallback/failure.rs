//! What failed on the way down, and whether the call ends with it.

use std::time::Duration;

use crate::{
    Error, Response,
    error::judge,
    outcome::{Outcome, Rejection},
};

/// The failure of the first target, and what the last one came to.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) first: Result<Response, Error>,
    pub(super) last: Outcome,
    pub(super) at: usize,
    /// When it is worth coming back to any of the fallbacks, as far as they said.
    pub(super) again: Option<Duration>,
    /// Whether anything was sent.
    pub(super) sent: bool,
    /// Whether a provider may have done what was asked.
    pub(super) acted: bool,
}

// === impl Failure ===

impl Failure {
    /// One more fallback has failed.
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

    /// The targets below have failed as well, beside it.
    pub(super) fn and(self, below: Self) -> Self {
        let again = self.again.into_iter().chain(below.again).min();
        let asked = below.at > self.at;
        let (last, at) = if asked { (below.last, below.at) } else { (self.last, self.at) };
        let (sent, acted) = (self.sent || below.sent, self.acted || below.acted);
        Self { first: self.first, last, at, again, sent, acted }
    }

    /// What a call that did not wait for a fallback sees of it: our own refusal, or the end of its time.
    pub(super) fn of(last: Outcome, at: usize) -> Self {
        Self { first: Err(Error::new(last)), last, at, again: None, sent: false, acted: false }
    }
}

/// Whether the call ends with this failure. On the first target that is for the outcome to say. Below it a request that a
/// target finds wrong may be right for the next one: the first took no offence.
pub(super) fn stops(outcome: Outcome, at: usize) -> bool {
    let elsewhere = at > 0 && outcome == Outcome::Rejected { why: Rejection::Request };
    !outcome.allows_fallback() && !elsewhere
}
