//! The error of the crate: an opaque type with accessors.

mod chain;
mod failed_attempt;
mod from_response;
mod handed_up;
mod questions;
mod response;
#[cfg(test)]
mod tests;

use std::{error::Error as StdError, fmt};

pub(crate) use chain::{chain, find};
pub(crate) use failed_attempt::{FailedAttempt, Settle};
pub(crate) use response::FailedBody;

use self::response::FailedResponse;
use crate::{
    attempt_log::AttemptLog,
    dialect::Usage,
    outcome::{Code, Outcome, Verdict, classify_head},
};

/// An error of any type, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What went wrong with a call: a call without an answer, an answer that is a failure
/// ([`into_result`](crate::ResponseExt::into_result)), a body that failed while it was read ([`find`](Self::find)).
///
/// Inspect it with the questions below or with its [`outcome`](Self::outcome). Its [`attempt_log`](Self::attempt_log) lists every
/// attempt, its source is the transport's own error. `Debug` and `Display` never contain a header value, a prompt or an answer.
///
/// | question | yes for |
/// |---|---|
/// | [`is_unavailable`](Self::is_unavailable) | `Unavailable`, `Unreachable`, `ConnectionLost` |
/// | [`is_rate_limited`](Self::is_rate_limited) | `RateLimited` |
/// | [`is_quota_exhausted`](Self::is_quota_exhausted) | `QuotaExhausted`; `Rejected` for `Payment` |
/// | [`is_connect`](Self::is_connect) | `Unreachable`; `TimedOut` in `Connect` |
/// | [`is_connection_lost`](Self::is_connection_lost) | `ConnectionLost` |
/// | [`is_timeout`](Self::is_timeout) | `TimedOut` |
/// | [`is_truncated`](Self::is_truncated) | `Truncated` |
/// | [`is_unusable`](Self::is_unusable) | `Empty`, `Malformed`, `Unfinished` |
/// | [`is_too_large`](Self::is_too_large) | `TooLarge` |
/// | [`is_blocked`](Self::is_blocked) | `Blocked` |
/// | [`is_unauthorized`](Self::is_unauthorized) | `Rejected` for `Credential` |
/// | [`is_rejected`](Self::is_rejected) | `Rejected` for any reason, `Declined` |
/// | [`is_refused`](Self::is_refused) | `NotSent` |
/// | [`is_cancelled`](Self::is_cancelled) | `Cancelled` |
/// | [`is_permanent`](Self::is_permanent) | `QuotaExhausted`, `TooLarge`, `Blocked`, `Rejected`, `Declined` |
/// | [`all_failed`](Self::all_failed) | any outcome, if no target and no fallback was left |
///
/// A variant of an [`Outcome`] that is added later answers yes to none of them. [`guide::errors`](crate::guide::errors) shows how
/// an application uses the questions.
pub struct Error(Box<Inner>);

struct Inner {
    verdict: Verdict,
    source: Option<BoxError>,
    attempt_log: Option<AttemptLog>,
    /// The answer that the error was made from.
    response: Option<Box<FailedResponse>>,
    /// The tokens of the answer that failed, where it reported them.
    usage: Option<Usage>,
    /// The failure to settle when the call of this attempt has ended.
    failed: Option<FailedAttempt>,
}

/// An invalid configuration: the field, its value, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    field: String,
    reason: String,
}

/// The verdict of a result: the one it carries, or that of its status and headers if no layer has classified it.
pub(crate) fn judge<B>(result: &Result<http::Response<B>, Error>) -> Verdict {
    match result {
        Ok(response) => match response.extensions().get::<Verdict>() {
            Some(verdict) => verdict.clone(),
            None => classify_head(response.status(), response.headers()),
        },
        Err(error) => error.verdict().clone(),
    }
}

// === impl Error ===

impl Error {
    /// Creates an error with that outcome, or with a verdict.
    pub fn new(verdict: impl Into<Verdict>) -> Self {
        Self(Box::new(Inner {
            verdict: verdict.into(),
            source: None,
            attempt_log: None,
            response: None,
            usage: None,
            failed: None,
        }))
    }

    /// Sets the underlying error.
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the tokens of the answer that failed, unless they are known.
    pub(crate) fn with_usage(mut self, usage: Option<Usage>) -> Self {
        self.0.usage = self.0.usage.or(usage);
        self
    }

    /// The tokens of the answer that failed, where it reported them.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.0.usage
    }

    /// Replaces the verdict.
    pub(crate) fn judged(mut self, verdict: Verdict) -> Self {
        self.0.verdict = verdict;
        self
    }

    /// Adds the attempt log, unless there is one.
    pub(crate) fn with_attempt_log(mut self, attempt_log: &AttemptLog) -> Self {
        self.0.attempt_log.get_or_insert_with(|| attempt_log.clone());
        self
    }

    /// Adds the attempt log of another error, if that has one.
    pub(crate) fn with_log_of(self, other: &Self) -> Self {
        match other.attempt_log() {
            Some(attempt_log) => self.with_attempt_log(attempt_log),
            None => self,
        }
    }

    pub(crate) fn failed(&self) -> Option<&FailedAttempt> {
        self.0.failed.as_ref()
    }

    pub(crate) fn set_failed(&mut self, failed: FailedAttempt) {
        self.0.failed = Some(failed);
    }

    pub(crate) fn take_failed(&mut self) -> Option<FailedAttempt> {
        self.0.failed.take()
    }

    /// The underlying error if it is a `T`, else this error unchanged.
    #[cfg(feature = "async-openai")]
    pub(crate) fn into_source<T: StdError + 'static>(mut self) -> Result<T, Self> {
        match self.0.source.take().map(|source| source.downcast::<T>()) {
            Some(Ok(source)) => Ok(*source),
            Some(Err(other)) => Err(self.with_source(other)),
            None => Err(self),
        }
    }

    /// The outcome of the call or the attempt.
    pub fn outcome(&self) -> Outcome {
        self.0.verdict.outcome()
    }

    /// The outcome with the provider's code and its hint about retries.
    pub fn verdict(&self) -> &Verdict {
        &self.0.verdict
    }

    /// The provider's own code, such as `overloaded_error`, if there was one.
    pub fn code(&self) -> Option<&Code> {
        self.0.verdict.code()
    }

    /// The attempts of the call so far, if the error went through the whole stack.
    pub fn attempt_log(&self) -> Option<&AttemptLog> {
        self.0.attempt_log.as_ref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("outcome", &self.outcome())
            .field("code", &self.code())
            .field("status", &self.status())
            .field("source", &self.0.source)
            .field("attempt_log", &self.0.attempt_log)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.local_trouble() {
            Some(trouble) => write!(f, "not sent: {trouble}")?,
            None => write!(f, "{}", self.outcome())?,
        }
        if let Some(reason) = self.tls_failure() {
            write!(f, ": TLS: {reason}")?;
        }
        if let Some(code) = self.code() {
            write!(f, " ({code})")?;
        }
        if let Some(status) = self.status() {
            write!(f, ", status {}", status.as_u16())?;
        }
        // Made here, and what the caller has to change.
        match self.0.source.as_ref().and_then(|source| source.downcast_ref::<ConfigError>()) {
            Some(wrong) => write!(f, ": {wrong}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<Outcome> for Error {
    fn from(outcome: Outcome) -> Self {
        Self::new(outcome)
    }
}

// === impl ConfigError ===

impl ConfigError {
    /// Creates an error: `field` holds `value`, but only `allowed` is valid.
    pub(crate) fn new(
        field: impl Into<String>,
        value: impl fmt::Debug,
        allowed: impl Into<String>,
    ) -> Self {
        Self::because(field, format!("is {value:?}; allowed is {}", allowed.into()))
    }

    /// Creates an error with that reason, which follows the name of the field: `is missing; …`.
    pub fn because(field: impl Into<String>, reason: impl Into<String>) -> Self {
        // A path may have a key of the user's in it.
        let field = field.into().replace(char::is_control, " ");
        Self { field, reason: reason.into() }
    }

    /// The field with the invalid value.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with the field, and what is allowed: `is 0ns; allowed is longer than zero`.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, reason } = self;
        write!(f, "{field} {reason}")
    }
}

impl StdError for ConfigError {}
