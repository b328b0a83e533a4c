//! Errors of the gateway itself, in the caller's dialect.

use std::{borrow::Cow, error::Error as _, time::Duration};

use axum::body::Body;
use evenkeel::{
    ConfigError, Error,
    dialect::Dialect,
    outcome::{Outcome, Rejection},
};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{
    proxy::{ATTEMPTS, RUNG},
    tls::handshake_failure,
};

/// An error that the gateway answers with, where no upstream has answered.
#[derive(Clone, Debug)]
pub(crate) struct GatewayError {
    status: StatusCode,
    /// For programs: `evenkeel_…`.
    code: String,
    message: Cow<'static, str>,
    wait: Option<Duration>,
    attempts: u32,
}

// === impl GatewayError ===

impl GatewayError {
    pub(crate) fn new(
        status: StatusCode,
        code: &str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: format!("evenkeel_{code}"),
            message: message.into(),
            wait: None,
            attempts: 0,
        }
    }

    /// The error of a call without an answer.
    pub(crate) fn of_call(error: &Error) -> Self {
        let attempts = error.attempt_log().map_or(0, |attempt_log| attempt_log.sent());
        // The outcome, and the provider's error code if there is one. Never its message: that may repeat the prompt.
        let mut message = format!("evenkeel: {error}");
        if let Some(reason) = handshake_failure(error) {
            message = format!("{message}: {reason}");
        }
        // A header for evenkeel that is wrong is named.
        if let Some(why) = error.source().and_then(|why| why.downcast_ref::<ConfigError>()) {
            message = format!("the header {why}");
        }
        Self {
            wait: error.retry_in(),
            attempts,
            ..Self::new(status(error.outcome()), error.outcome().name(), message)
        }
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The error as a response.
    pub(crate) fn into_response(self, dialect: Dialect) -> Response<Body> {
        let mut response = Response::new(Body::from(self.value(dialect).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(RUNG, HeaderValue::from_static("gateway"));
        headers.insert(ATTEMPTS, HeaderValue::from(self.attempts));
        if let Some(wait) = self.wait {
            // Whole seconds, which every client parses; rounded up, and at least one.
            let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The error as an event of a stream that has begun.
    pub(crate) fn to_event(&self, dialect: Dialect) -> String {
        let value = self.value(dialect);
        match dialect {
            Dialect::Anthropic => format!("event: error\ndata: {value}\n\n"),
            Dialect::OpenAiResponses => {
                // The documented event has its fields at the top; the official SDKs read `error`.
                let mut event = json!({"type": "error", "code": self.code, "message": self.message, "param": null, "sequence_number": 0});
                event["error"] = value["error"].clone();
                format!("event: error\ndata: {event}\n\n")
            }
            Dialect::Ollama => format!("{value}\n"),
            _ => format!("data: {value}\n\n"),
        }
    }

    /// The error as the last element of a JSON array that has begun; `follows` is whether it has elements.
    pub(crate) fn to_array_element(&self, follows: bool) -> String {
        let comma = if follows { "," } else { "" };
        format!("{comma}{}]", self.value(Dialect::Gemini))
    }

    fn value(&self, dialect: Dialect) -> Value {
        let Self { status, code, message, .. } = self;
        match dialect {
            Dialect::Anthropic => {
                json!({"type": "error", "error": {"type": anthropic(*status), "message": message}})
            }
            Dialect::Gemini => {
                json!({"error": {"code": status.as_u16(), "message": message, "status": google(*status)}})
            }
            Dialect::Ollama => json!({"error": message}),
            _ => {
                json!({"error": {"message": message, "type": openai(*status), "param": null, "code": code}})
            }
        }
    }
}

/// The status for an outcome.
fn status(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
        Outcome::NotSent { .. } | Outcome::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::RateLimited { .. } | Outcome::QuotaExhausted { .. } => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Outcome::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Outcome::Blocked | Outcome::Rejected { why: Rejection::Request } => StatusCode::BAD_REQUEST,
        Outcome::Rejected { .. } => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_GATEWAY,
    }
}

fn openai(status: StatusCode) -> &'static str {
    match status.as_u16() {
        429 => "rate_limit_error",
        400..500 => "invalid_request_error",
        _ => "server_error",
    }
}

fn anthropic(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "permission_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        400..500 => "invalid_request_error",
        503 => "overloaded_error",
        _ => "api_error",
    }
}

fn google(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "PERMISSION_DENIED",
        429 => "RESOURCE_EXHAUSTED",
        400..500 => "INVALID_ARGUMENT",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNAVAILABLE",
    }
}
