//! The error of the crate: an opaque type with accessors.

mod failed_attempt;
mod handed_up;

use std::{error::Error as StdError, fmt, time::Duration};

pub(crate) use failed_attempt::{FailedAttempt, Settle};

use crate::{
    attempt_log::AttemptLog,
    outcome::{Code, LocalTrouble, Outcome, Verdict, classify_head},
};

/// An error of any type, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The error of a call without an answer.
///
/// Inspect it with the `is_…` methods or its [`outcome`](Self::outcome). Its [`attempt_log`](Self::attempt_log) lists every
/// attempt, its source is the transport's own error. It never contains a header value, a prompt or an answer.
pub struct Error(Box<Inner>);

struct Inner {
    verdict: Verdict,
    source: Option<BoxError>,
    attempt_log: Option<AttemptLog>,
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
            failed: None,
        }))
    }

    /// Sets the underlying error.
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
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

    /// Finds the error of this crate in the source chain of another, for example of a `reqwest::Error` of a body.
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        find(error)
    }

    /// Whether a timeout passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self.outcome(), Outcome::TimedOut { .. })
    }

    /// Whether no connection was made, so nothing was sent.
    pub fn is_connect(&self) -> bool {
        matches!(self.outcome(), Outcome::Unreachable)
    }

    /// Whether our own breaker, limit or budget refused; nothing was sent.
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome(), Outcome::NotSent { .. })
    }

    /// The local resource that was missing to send the call; the system's error is in the chain of sources.
    pub fn local_trouble(&self) -> Option<LocalTrouble> {
        self.0.verdict.local_trouble()
    }

    /// The reason TLS failed, in the words of the TLS library, if no connection was made because of it. At most 200 bytes.
    pub fn tls_failure(&self) -> Option<&str> {
        self.0.verdict.tls_failure()
    }

    /// Whether an answer had begun and was not complete.
    pub fn is_truncated(&self) -> bool {
        matches!(self.outcome(), Outcome::Truncated)
    }

    /// Whether the provider limits the rate.
    pub fn is_rate_limited(&self) -> bool {
        matches!(self.outcome(), Outcome::RateLimited { .. })
    }

    /// The time until a retry may succeed, if that is known.
    pub fn retry_in(&self) -> Option<Duration> {
        self.outcome().wait()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("outcome", &self.outcome())
            .field("code", &self.code())
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
        match self.code() {
            Some(code) => write!(f, " ({code})"),
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

/// The first error of type `E` in a chain of sources, starting with `error`.
pub(crate) fn find<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
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
    pub(crate) fn because(field: impl Into<String>, reason: impl Into<String>) -> Self {
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
