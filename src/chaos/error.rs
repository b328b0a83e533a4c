//! The error of a fault, in place of that of a connection.

use std::{error::Error as StdError, fmt, io};

use super::FaultKind;
use crate::{Error, outcome::Outcome};

/// The source of an [`Error`](crate::Error) that was injected on purpose: look for it with
/// [`source`](std::error::Error::source).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InjectedFault {
    kind: FaultKind,
}

// === impl InjectedFault ===

impl InjectedFault {
    pub(super) fn new(kind: FaultKind) -> Self {
        Self { kind }
    }

    /// The kind of the fault.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The error of an attempt or of a body, with the error of the system that a connection would have had.
    pub(super) fn error(self, outcome: Outcome, kind: io::ErrorKind) -> Error {
        Error::new(outcome).with_source(io::Error::new(kind, self))
    }
}

impl fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "injected on purpose: {}", self.kind)
    }
}

impl StdError for InjectedFault {}
