//! What an answer has to have.

use crate::{RequestInfo, outcome::ErrorCodeTable};

/// How an answer is classified.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The meanings of error codes.
    pub(crate) codes: ErrorCodeTable,
    /// Whether an answer without any content may be right.
    pub(crate) may_be_empty: bool,
    /// The number of choices that were asked for.
    pub(crate) choices: u32,
    /// Whether usage was asked for, which comes after the finish reason.
    pub(crate) usage: bool,
}

// === impl Expected ===

impl Expected {
    /// Uses that table of codes. `may_be_empty`: whether an answer without any content may be right.
    pub fn new(codes: &ErrorCodeTable, may_be_empty: bool) -> Self {
        Self { codes: codes.clone(), may_be_empty, choices: 1, usage: false }
    }

    /// What an answer to that request has to have: an answer with fewer choices is not complete.
    pub fn answer_to(codes: &ErrorCodeTable, info: &RequestInfo) -> Self {
        let (choices, usage) = (info.choices(), info.stream_usage());
        Self { choices, usage, ..Self::new(codes, info.may_be_empty()) }
    }

    pub(crate) fn codes(&self) -> &ErrorCodeTable {
        &self.codes
    }
}

impl From<&ErrorCodeTable> for Expected {
    fn from(codes: &ErrorCodeTable) -> Self {
        Self::new(codes, false)
    }
}
