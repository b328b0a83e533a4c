//! Errors of the gateway's own, in the caller's language.

use std::{borrow::Cow, error::Error as _, time::Duration};

use axum::body::Body;
use evenkeel::{
    ConfigError, Error,
    dialect::Dialect,
    outcome::{Outcome, Rejection},
};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::proxy::{ATTEMPTS, RUNG};

/// What the gateway has to say when no upstream has.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    status: StatusCode,
    /// A word for programs: `evenkeel_…`.
    code: String,
    message: Cow<'static, str>,
    wait: Option<Duration>,
    attempts: u32,
}

// === impl Said ===

impl Said {
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

    /// A call that came to no answer.
    pub(crate) fn of(error: &Error) -> Self {
        let attempts = error.attempt_log().map_or(0, |attempt_log| attempt_log.sent());
        // The outcome, and the provider's own code where it gave one. Never its words: they may be the caller's.
        let mut message = format!("evenkeel: {error}");
        // But where it is a header for evenkeel that is wrong, which one.
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

    /// As an answer.
    pub(crate) fn answer(&self, language: Dialect) -> Response<Body> {
        let mut response = Response::new(Body::from(self.value(language).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(RUNG, HeaderValue::from_static("gateway"));
        headers.insert(ATTEMPTS, HeaderValue::from(self.attempts));
        if let Some(wait) = self.wait {
            // Whole seconds are what every client reads; never before the moment, and never at once.
            let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// As an event of a stream that has begun.
    pub(crate) fn event(&self, language: Dialect) -> String {
        let value = self.value(language);
        match language {
            Dialect::Anthropic => format!("event: error\ndata: {value}\n\n"),
            Dialect::OpenAiResponses => {
                // The documented event has its words at the top; the official SDKs look for `error`.
                let mut event = json!({"type": "error", "code": self.code, "message": self.message, "param": null, "sequence_number": 0});
                event["error"] = value["error"].clone();
                format!("event: error\ndata: {event}\n\n")
            }
            Dialect::Ollama => format!("{value}\n"),
            _ => format!("data: {value}\n\n"),
        }
    }

    /// As the last element of a JSON array that has begun, with `more` elements before it or none.
    pub(crate) fn element(&self, more: bool) -> String {
        let comma = if more { "," } else { "" };
        format!("{comma}{}]", self.value(Dialect::Gemini))
    }

    fn value(&self, language: Dialect) -> Value {
        let Self { status, code, message, .. } = self;
        match language {
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

/// The status that fits an outcome.
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
