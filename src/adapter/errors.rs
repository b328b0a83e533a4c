//! Maps reqwest errors to outcomes.

use super::recognise::is_unacknowledged;
use crate::{
    Error,
    outcome::{Outcome, Phase, Rejection},
};

/// An error before the head of the response.
pub(super) fn failed(error: reqwest::Error) -> Error {
    let outcome = if error.is_connect() {
        Outcome::Unreachable
    } else if error.is_timeout() && !is_unacknowledged(&error) {
        Outcome::TimedOut { phase: Phase::Attempt }
    } else if error.is_builder() || error.is_redirect() {
        Outcome::Rejected { why: Rejection::Request }
    } else {
        Outcome::ConnectionLost
    };
    Error::new(outcome).with_source(bare(error))
}

/// An error in a body.
pub(super) fn cut(error: reqwest::Error) -> Error {
    let outcome = match error.is_timeout() {
        true => Outcome::TimedOut { phase: Phase::Stream },
        false => Outcome::Truncated,
    };
    Error::new(outcome).with_source(bare(error))
}

impl From<reqwest::Error> for Error {
    /// The error of a body that reqwest reads, or of a request that it builds: evenkeel's own if it is inside, with its verdict and
    /// attempt log, so that `?` works in a function that returns an [`Error`].
    fn from(error: reqwest::Error) -> Self {
        let own = Self::find(&error).map(|own| (own.verdict().clone(), own.attempt_log().cloned()));
        match own {
            Some((verdict, attempt_log)) => {
                let outer = Self::new(verdict).with_source(bare(error));
                attempt_log.iter().fold(outer, Self::with_attempt_log)
            }
            None if error.is_body() || error.is_decode() => cut(error),
            None => failed(error),
        }
    }
}

/// The error without the query and the user of its URL, which may hold keys.
fn bare(mut error: reqwest::Error) -> reqwest::Error {
    if let Some(url) = error.url_mut() {
        url.set_query(None);
        // Fails only for URLs that cannot have a user: nothing to remove there.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
    }
    error
}
