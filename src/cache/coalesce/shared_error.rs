//! A failure that is reported to many callers.

use crate::{Error, outcome::Verdict};

/// A failure that is reported to many callers: the first gets the error itself, the others its verdict.
pub(super) struct SharedError {
    verdict: Verdict,
    error: Option<Error>,
}

// === impl SharedError ===

impl SharedError {
    pub(super) fn tell(&mut self, first: bool) -> Error {
        let own = self.error.take_if(|_| first);
        own.unwrap_or_else(|| Error::new(self.verdict.clone()))
    }
}

impl From<Error> for SharedError {
    fn from(error: Error) -> Self {
        Self { verdict: error.verdict().clone(), error: Some(error) }
    }
}
