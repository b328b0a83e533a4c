//! A failure that is told to many.

use crate::{Error, outcome::Verdict};

/// A failure that is told to many: the first is given the error itself.
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
