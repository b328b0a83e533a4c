//! Carries a failed attempt up the stack, in the result of the attempt.

use tokio::time::Instant;

use super::{Error, FailedAttempt};

// === impl FailedAttempt ===

impl FailedAttempt {
    /// Puts it into the result of its attempt.
    pub(crate) fn attach<B>(self, result: &mut Result<http::Response<B>, Error>) {
        match result {
            Ok(response) => drop(response.extensions_mut().insert(self)),
            Err(error) => error.set_failed(self),
        }
    }

    /// Takes it out of the result of its attempt.
    pub(crate) fn take<B>(result: &mut Result<http::Response<B>, Error>) -> Option<Self> {
        match result {
            Ok(response) => response.extensions_mut().remove(),
            Err(error) => error.take_failed(),
        }
    }

    /// When the route of the attempt lets calls through again; `None` if it does now.
    pub(crate) fn closed<B>(result: &Result<http::Response<B>, Error>) -> Option<Instant> {
        let failed = match result {
            Ok(response) => response.extensions().get::<Self>(),
            Err(error) => error.failed(),
        };
        failed.and_then(Self::until)
    }
}
