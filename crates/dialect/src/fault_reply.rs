//! The failures of providers, as their APIs send them: for tests, and for faults that are injected on purpose.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use crate::Dialect;

/// A failure as a provider answers it: a status, and a body in the shape of its API.
///
/// ```
/// use evenkeel_dialect::{Dialect, FaultReply, outcome::{Outcome, classify}};
///
/// let quota = FaultReply::Quota;
/// let (status, body) = (quota.status(Some(Dialect::Anthropic)), quota.body(Some(Dialect::Anthropic)));
/// let verdict = classify(status, &http::HeaderMap::new(), body.as_bytes());
/// assert!(matches!(verdict.outcome(), Outcome::QuotaExhausted { .. }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultReply {
    /// A status with an error without a code.
    Status(StatusCode),
    /// The requests of the minute are used up.
    RateLimited,
    /// The quota, or the money, is used up.
    Quota,
    /// The prompt is longer than the context of the model.
    ContextLength,
    /// A content filter rejects the prompt.
    Blocked,
}

/// The names of an error that differ between failures.
struct Names {
    /// OpenAI: `type` and `code`.
    openai: Option<(&'static str, &'static str)>,
    anthropic: &'static str,
    google: &'static str,
}

// === impl FaultReply ===

impl FaultReply {
    /// The status of the answer in that dialect; `None` is that of OpenAI's APIs.
    pub fn status(self, dialect: Option<Dialect>) -> StatusCode {
        match (self, dialect) {
            (Self::Status(status), _) => status,
            (Self::Quota, Some(Dialect::Anthropic)) => StatusCode::BAD_REQUEST,
            // The API reports a blocked prompt within an answer.
            (Self::Blocked, Some(Dialect::Gemini)) => StatusCode::OK,
            (Self::RateLimited | Self::Quota, _) => StatusCode::TOO_MANY_REQUESTS,
            (Self::ContextLength | Self::Blocked, _) => StatusCode::BAD_REQUEST,
        }
    }

    /// The body of the answer in that dialect, as JSON; `None` is that of OpenAI's APIs.
    pub fn body(self, dialect: Option<Dialect>) -> String {
        let status = self.status(dialect).as_u16();
        let (names, message) = (self.names(), self.message(dialect));
        match dialect {
            Some(Dialect::Anthropic) => {
                json!({"type": "error", "error": {"type": names.anthropic, "message": message}})
            }
            Some(Dialect::Gemini) if self == Self::Blocked => {
                json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
            }
            Some(Dialect::Gemini) => json!({"error": {
                "code": status, "message": message, "status": names.google, "details": self.details(),
            }}),
            Some(Dialect::Ollama) => json!({"error": message}),
            Some(Dialect::OpenAiChat | Dialect::OpenAiResponses) | None => {
                let (kind, code) = names.openai.unzip();
                let param = matches!(status, 400 | 422).then_some("messages");
                json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
            }
        }
        .to_string()
    }

    fn names(self) -> Names {
        let (request, google) = ("invalid_request_error", "INVALID_ARGUMENT");
        let (openai, anthropic, google) = match self {
            Self::Status(status) => {
                let (anthropic, google) = of_status(status);
                return Names { openai: None, anthropic, google };
            }
            Self::RateLimited => {
                (("requests", "rate_limit_exceeded"), "rate_limit_error", "RESOURCE_EXHAUSTED")
            }
            Self::Quota => {
                (("insufficient_quota", "insufficient_quota"), request, "RESOURCE_EXHAUSTED")
            }
            Self::ContextLength => ((request, "context_length_exceeded"), request, google),
            Self::Blocked => ((request, "content_policy_violation"), request, google),
        };
        Names { openai: Some(openai), anthropic, google }
    }

    fn message(self, dialect: Option<Dialect>) -> Cow<'static, str> {
        match (self, dialect) {
            (Self::Status(status), _) => {
                format!("The provider answered {}.", status.as_u16()).into()
            }
            (Self::RateLimited, _) => "Rate limit reached: too many requests.".into(),
            (Self::Quota, Some(Dialect::Anthropic)) => {
                "You have reached your specified API usage limits.".into()
            }
            (Self::Quota, _) => "You exceeded your current quota: insufficient credits.".into(),
            (Self::ContextLength, _) => {
                "The prompt is too long: it exceeds the context of the model.".into()
            }
            (Self::Blocked, _) => "Output blocked by content filtering policy".into(),
        }
    }

    /// The details of an error of Google's APIs: which quota it is about.
    fn details(self) -> Value {
        let quota = match self {
            Self::RateLimited => "GenerateRequestsPerMinutePerProjectPerModel",
            Self::Quota => "GenerateRequestsPerDayPerProjectPerModel",
            _ => return json!([]),
        };
        json!([{
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": quota}],
        }])
    }
}

/// The types of an error with that status at Anthropic and at Google.
fn of_status(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => ("authentication_error", "UNAUTHENTICATED"),
        403 => ("permission_error", "PERMISSION_DENIED"),
        404 => ("not_found_error", "NOT_FOUND"),
        413 => ("request_too_large", "INVALID_ARGUMENT"),
        429 => ("rate_limit_error", "RESOURCE_EXHAUSTED"),
        400..500 => ("invalid_request_error", "INVALID_ARGUMENT"),
        504 => ("timeout_error", "DEADLINE_EXCEEDED"),
        503 | 529 => ("overloaded_error", "UNAVAILABLE"),
        _ => ("api_error", "INTERNAL"),
    }
}
