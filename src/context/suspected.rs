//! The refusal of a route that is only under suspicion.

use std::fmt;

use crate::Error;

/// The reason why a closed breaker refused: the route is under suspicion, and the call has another target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suspected;

// === impl Suspected ===

impl Suspected {
    /// Whether it is the reason of a refusal.
    pub(crate) fn is_why<T>(result: &Result<T, Error>) -> bool {
        let source = result.as_ref().err().and_then(std::error::Error::source);
        source.is_some_and(|source| source.is::<Self>())
    }
}

impl fmt::Display for Suspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the route is under suspicion, and another target can be asked")
    }
}

impl std::error::Error for Suspected {}
