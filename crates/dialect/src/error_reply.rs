//! An error of evenkeel or the gateway, in the caller's dialect.

#[cfg(test)]
mod tests;

use http::StatusCode;
use serde_json::{Value, json};

use crate::{Dialect, outcome::Outcome, response_progress::ResponseProgress};

/// An error that is reported here and not by a provider, rendered as the body of an answer or as the last event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorReply {
    /// The status of the answer. In a stream, whose status was sent before, it selects the type of the error.
    pub status: StatusCode,
    /// A code for programs, such as `evenkeel_timed_out`. Only the dialects of OpenAI have a field for it.
    pub code: String,
    /// A message for people. It must not contain header values, prompts or answers.
    pub message: String,
}

// === impl ErrorReply ===

impl ErrorReply {
    /// An error with that status.
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// An error with the status for an outcome.
    pub fn of(outcome: Outcome, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(outcome.reply_status(), code, message)
    }

    /// The body of an answer with this error, as JSON.
    pub fn body(&self, dialect: Dialect) -> String {
        self.json(dialect).to_string()
    }

    /// The stream event with this error, framed.
    pub fn event(&self, dialect: Dialect) -> String {
        self.event_after(dialect, &ResponseProgress::default())
    }

    /// The stream event with this error, after the events of that progress.
    pub(crate) fn event_after(&self, dialect: Dialect, progress: &ResponseProgress) -> String {
        let json = self.json(dialect);
        match dialect {
            Dialect::Anthropic => format!("event: error\ndata: {json}\n\n"),
            Dialect::OpenAiResponses => {
                // The API ends a failed stream with both: the official SDKs raise the first, Codex reads the second alone.
                let Self { code, message, .. } = self;
                let number = progress.next();
                let error = json!({
                    "type": "error",
                    "sequence_number": number,
                    "code": code,
                    "message": message,
                    "param": null,
                    "error": json["error"],
                });
                let failed = json!({
                    "type": "response.failed",
                    "sequence_number": number.saturating_add(1),
                    "response": progress.failed(json!({"code": code, "message": message})),
                    "error": json["error"],
                });
                format!("event: error\ndata: {error}\n\nevent: response.failed\ndata: {failed}\n\n")
            }
            Dialect::Ollama => format!("{json}\n"),
            Dialect::OpenAiChat | Dialect::Gemini => format!("data: {json}\n\n"),
        }
    }

    fn json(&self, dialect: Dialect) -> Value {
        let Self { status, code, message } = self;
        match dialect {
            Dialect::Anthropic => {
                json!({"type": "error", "error": {"type": anthropic(*status), "message": message}})
            }
            Dialect::Gemini => {
                json!({"error": {"code": status.as_u16(), "message": message, "status": google(*status)}})
            }
            Dialect::Ollama => json!({"error": message}),
            Dialect::OpenAiChat | Dialect::OpenAiResponses => {
                json!({"error": {"message": message, "type": openai(*status), "param": null, "code": code}})
            }
        }
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
        401 => "authentication_error",
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
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        429 => "RESOURCE_EXHAUSTED",
        400..500 => "INVALID_ARGUMENT",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNAVAILABLE",
    }
}
