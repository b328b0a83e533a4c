//! Errors of the gateway itself, in the caller's dialect.

use std::{error::Error as _, time::Duration};

use axum::body::Body;
use evenkeel::{
    ConfigError, Error,
    dialect::{Dialect, ErrorReply},
    outcome::Outcome,
};
use http::{HeaderValue, Response, StatusCode, header};

use super::{
    cut::ShuttingDown,
    pass::{ATTEMPTS, SERVED_BY},
};
use crate::access::Refusal;

/// An error of the gateway itself, without an answer of an upstream.
#[derive(Clone, Debug)]
pub(crate) struct GatewayError {
    reply: ErrorReply,
    wait: Option<Duration>,
    attempts: u32,
}

/// The code of an answer that the end of the drain cuts.
pub(super) const SHUTTING_DOWN: &str = "shutting_down";

// === impl GatewayError ===

impl GatewayError {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { reply: ErrorReply::new(status, code_for(code), message), wait: None, attempts: 0 }
    }

    /// The error of a request that is refused.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        let Refusal { status, code, message, wait } = refusal;
        Self { wait, ..Self::new(status, code, format!("evenkeel: {message}")) }
    }

    /// The error of a call without an answer.
    pub(crate) fn of_call(error: &Error) -> Self {
        let attempts = error.attempt_log().map_or(0, |attempt_log| attempt_log.sent());
        Self { reply: reply_to(error), wait: error.retry_in(), attempts }
    }

    /// Sets when the caller may come again.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// The error as a response.
    pub(crate) fn into_response(self, dialect: Dialect) -> Response<Body> {
        let mut response = Response::new(Body::from(self.reply.body(dialect)));
        *response.status_mut() = self.reply.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(SERVED_BY, HeaderValue::from_static("gateway"));
        headers.insert(ATTEMPTS, HeaderValue::from(self.attempts));
        if self.reply.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.wait {
            // Whole seconds, which every client parses; rounded up, and at least one.
            let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The last event of a stream that broke.
pub(super) fn last_event(error: &Error) -> ErrorReply {
    if let Some(why) = error.source().and_then(|why| why.downcast_ref::<ShuttingDown>()) {
        let message = format!("evenkeel: {why}, and the answer was not complete in time");
        return ErrorReply::new(StatusCode::SERVICE_UNAVAILABLE, code_for(SHUTTING_DOWN), message);
    }
    tracing::warn!(outcome = error.outcome().name(), "a stream broke after its head");
    reply_to(error)
}

/// The error that the caller gets for a call without an answer, and for a stream that broke.
pub(crate) fn reply_to(error: &Error) -> ErrorReply {
    // The outcome, and the provider's error code if there is one.
    let mut message = format!("evenkeel: {error}");
    // An invalid `evenkeel-` header is named.
    if let Some(why) = error.source().and_then(|why| why.downcast_ref::<ConfigError>()) {
        message = format!("the header {why}");
    }
    let outcome = error.outcome();
    in_band(error).unwrap_or_else(|| ErrorReply::of(outcome, code_for(outcome.name()), message))
}

/// The error of a provider that rejected the request inside a 200: the 4xx that it stands for, in the provider's own words.
fn in_band(error: &Error) -> Option<ErrorReply> {
    let said = error.verdict().provider_error()?;
    let outcome = error.outcome();
    let fault = outcome.is_permanent() && !matches!(outcome, Outcome::QuotaExhausted { .. });
    let named = said.status().filter(StatusCode::is_client_error);
    let status = match outcome {
        // Clients cut a conversation short after a 413 or this code alone.
        Outcome::TooLarge => Some(outcome.reply_status()),
        _ => named.or(Some(outcome.reply_status()).filter(StatusCode::is_client_error)),
    };
    let code = error.code().map(|code| code.as_str()).filter(|code| code.parse::<u16>().is_err());
    let code = code.map_or_else(|| code_for(outcome.name()), str::to_owned);
    Some(ErrorReply::new(status.filter(|_| fault)?, code, said.message()))
}

fn code_for(name: &str) -> String {
    format!("evenkeel_{name}")
}
