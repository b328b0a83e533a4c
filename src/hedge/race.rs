//! The race of two copies of one call: the first conclusive result is the answer.

use crate::{
    Error, Response,
    error::judge,
    outcome::{Outcome, Rejection},
    upstream::ResponseFuture,
};

/// One copy under way; dropping it cancels it.
pub(super) type BoxFuture = ResponseFuture;

/// Whether another copy, sent at once, may not have this failure.
pub(super) fn is_transient(result: &Result<Response, Error>) -> bool {
    let verdict = judge(result);
    verdict.is_retryable() && verdict.outcome().wait().is_none()
}

/// Whether the result of another copy no longer matters: an answer, or a failure caused by the request itself.
fn is_conclusive(result: &Result<Response, Error>) -> bool {
    let outcome = judge(result).outcome();
    let own = matches!(
        outcome,
        Outcome::Rejected { why: Rejection::Request | Rejection::Parameter }
            | Outcome::Blocked
            | Outcome::TooLarge
    );
    outcome.is_success() || own
}

/// Returns the first conclusive result of the two. The other copy is dropped.
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

/// Returns the first result, unless only the second is a success.
pub(super) fn prefer_success(
    first: Result<Response, Error>,
    second: Result<Response, Error>,
) -> Result<Response, Error> {
    let answered = |result| judge(result).outcome().is_success();
    if !answered(&first) && answered(&second) { second } else { first }
}
