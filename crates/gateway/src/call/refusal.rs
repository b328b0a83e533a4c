//! Answers of the server itself to requests that it does not pass on.

use std::time::Duration;

use axum::body::Body;
use evenkeel::{CallOptions, dialect::Dialect};
use http::{HeaderValue, Response, StatusCode, header, request::Parts};

use super::{errors::GatewayError, headers::caller_dialect};

/// Why the server does not answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// All connections for calls are in use.
    Busy,
    /// The gateway is shutting down.
    ShuttingDown,
    /// The body of the request does not arrive.
    SlowBody,
}

/// When a caller may come again: another process may take over by then, or a connection may be free.
const RETRY_AFTER: Duration = Duration::from_secs(1);

// === impl Refusal ===

impl Refusal {
    /// The answer, in the caller's dialect. The connection is closed after it.
    pub(crate) fn response(self, dialect: Dialect) -> Response<Body> {
        let (status, code, message) = match self {
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "evenkeel: all connections that limits.connections allows are in use",
            ),
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "slow_body",
                "evenkeel: the body of the request arrived too slowly (edges.read_timeout)",
            ),
            Self::ShuttingDown => (
                StatusCode::SERVICE_UNAVAILABLE,
                "shutting_down",
                "evenkeel: the gateway is shutting down, and the answer was not ready in time",
            ),
        };
        let error = GatewayError::new(status, code, message).retry_after(RETRY_AFTER);
        let mut response = error.into_response(dialect);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// The dialect in which a caller gets errors: the declared one, else that of the path and the headers.
pub(crate) fn dialect_of_caller(parts: &Parts) -> Dialect {
    let declared = parts.headers.contains_key("evenkeel-dialect");
    let options = declared.then(|| CallOptions::from_headers(&parts.headers).ok()).flatten();
    let declared = options.and_then(|options| options.declared_dialect());
    declared.unwrap_or_else(|| caller_dialect(parts))
}
