//! Two copies of one call: the first that is final is the answer.

use crate::{
    Error, Response,
    error::judge,
    outcome::{Outcome, Rejection},
    upstream::ResponseFuture,
};

/// One copy under way; dropped, it is cancelled.
pub(super) type BoxFuture = ResponseFuture;

/// Whether a failure is one that another copy, sent at once, may not have.
pub(super) fn is_transient(result: &Result<Response, Error>) -> bool {
    let verdict = judge(result);
    verdict.is_retryable() && verdict.outcome().wait().is_none()
}

/// Whether nothing that another copy comes to is of interest any more: an answer, or a failure of the request's own.
fn is_conclusive(result: &Result<Response, Error>) -> bool {
    let outcome = judge(result).outcome();
    let own = Outcome::Rejected { why: Rejection::Request };
    outcome.is_success()
        || outcome == own
        || matches!(outcome, Outcome::Blocked | Outcome::TooLarge)
}

/// The first of two that is final. The other is dropped.
pub(super) async fn race(mut first: BoxFuture, mut second: BoxFuture) -> Result<Response, Error> {
    tokio::select! {
        biased;
        result = &mut first => match is_conclusive(&result) {
            true => result,
            false => prefer_success(result, second.await),
        },
        result = &mut second => match is_conclusive(&result) {
            true => result,
            false => prefer_success(first.await, result),
        },
    }
}

/// The first, unless only the second is an answer.
pub(super) fn prefer_success(
    first: Result<Response, Error>,
    second: Result<Response, Error>,
) -> Result<Response, Error> {
    let answered = |result| judge(result).outcome().is_success();
    if !answered(&first) && answered(&second) { second } else { first }
}
