//! Why a request is refused.

use std::time::Duration;

use http::StatusCode;

/// Why a request is refused, before it is an error in a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// What is wrong, and what is allowed. Shows nothing of the request.
    pub(crate) message: String,
    /// When the same request may be accepted.
    pub(crate) wait: Option<Duration>,
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), wait: None }
    }

    pub(super) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }
}
