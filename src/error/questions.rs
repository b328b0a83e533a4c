//! The questions that an application asks about an error.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use super::{Error, find};
use crate::outcome::{LocalTrouble, Outcome, Phase, Rejection};

// === impl Error ===

impl Error {
    /// Finds the error of this crate in another and its sources: that of a body that failed (`reqwest::Error`, an I/O error), of
    /// a client over an adapter (`reqwest_middleware::Error`, `OpenAIError`), of a Tower stack.
    ///
    /// An error type of yours that is `#[error(transparent)]` over [`Error`] hides it: give it a `#[source]` and a text.
    ///
    /// ```
    /// use evenkeel::{Error, outcome::Outcome};
    ///
    /// let broken = std::io::Error::other(Error::new(Outcome::Truncated));
    /// assert!(Error::find(&broken).is_some_and(Error::is_truncated));
    /// ```
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        find(error).or_else(|| find::<Arc<Self>>(error).map(|shared| &**shared))
    }

    /// Whether the provider is down: it says so, it cannot be reached, or the connection broke. Not for a
    /// [timeout](Self::is_timeout) and not for a [refusal](Self::is_refused) by a breaker.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self.outcome(),
            Outcome::Unavailable { .. } | Outcome::Unreachable | Outcome::ConnectionLost
        )
    }

    /// Whether the provider limits the rate: fewer calls a minute would pass.
    pub fn is_rate_limited(&self) -> bool {
        matches!(self.outcome(), Outcome::RateLimited { .. })
    }

    /// Whether the credit or the day's quota is used up, or the account has to pay first. Somebody has to act, or a day has to
    /// pass.
    pub fn is_quota_exhausted(&self) -> bool {
        matches!(
            self.outcome(),
            Outcome::QuotaExhausted { .. } | Outcome::Rejected { why: Rejection::Payment }
        )
    }

    /// Whether no connection was made, so nothing was sent.
    pub fn is_connect(&self) -> bool {
        matches!(self.outcome(), Outcome::Unreachable | Outcome::TimedOut { phase: Phase::Connect })
    }

    /// Whether the connection broke after the request was sent. The provider may have answered it, and charge for it.
    pub fn is_connection_lost(&self) -> bool {
        matches!(self.outcome(), Outcome::ConnectionLost)
    }

    /// Whether a time limit passed: its [`Phase`] is in the [outcome](Self::outcome).
    pub fn is_timeout(&self) -> bool {
        matches!(self.outcome(), Outcome::TimedOut { .. })
    }

    /// Whether an answer had begun and was not complete.
    pub fn is_truncated(&self) -> bool {
        matches!(self.outcome(), Outcome::Truncated)
    }

    /// Whether an answer arrived that is of no use: without content, not one of this API, or not finished by the model.
    pub fn is_unusable(&self) -> bool {
        matches!(self.outcome(), Outcome::Empty | Outcome::Malformed | Outcome::Unfinished)
    }

    /// Whether the request is larger than the model's context or than the server accepts.
    pub fn is_too_large(&self) -> bool {
        matches!(self.outcome(), Outcome::TooLarge)
    }

    /// Whether the provider's content filter or the model refused the request or its answer.
    pub fn is_blocked(&self) -> bool {
        matches!(self.outcome(), Outcome::Blocked)
    }

    /// Whether the credential is missing, wrong, expired or revoked.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self.outcome(), Outcome::Rejected { why: Rejection::Credential })
    }

    /// Whether the provider rejected the request with a 4xx, with or without a reason. Not for one that is
    /// [too large](Self::is_too_large), [blocked](Self::is_blocked) or over its [rate](Self::is_rate_limited) or
    /// [quota](Self::is_quota_exhausted).
    pub fn is_rejected(&self) -> bool {
        matches!(self.outcome(), Outcome::Rejected { .. } | Outcome::Declined)
    }

    /// Whether our own breaker, limit or budget refused, or [this machine](Self::local_trouble) could not send it; nothing was
    /// sent.
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome(), Outcome::NotSent { .. })
    }

    /// Whether the caller cancelled the call.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.outcome(), Outcome::Cancelled)
    }

    /// Whether the same request is in vain until the request, the credential or the account changes: a job for a human, not for
    /// a retry.
    pub fn is_permanent(&self) -> bool {
        self.outcome().is_permanent()
    }

    /// Whether no target and no fallback was left: each of them failed, or was skipped. `false` for a failure that the fallbacks
    /// do not take, such as [blocked](Self::is_blocked). See [`AttemptLog::all_failed`](crate::context::AttemptLog::all_failed).
    pub fn all_failed(&self) -> bool {
        self.attempt_log().is_some_and(|attempt_log| attempt_log.all_failed())
    }

    /// The time until a retry may succeed, if that is known.
    pub fn retry_in(&self) -> Option<Duration> {
        self.outcome().wait()
    }

    /// The local resource that was missing to send the call; the system's error is in the chain of sources.
    pub fn local_trouble(&self) -> Option<LocalTrouble> {
        self.verdict().local_trouble()
    }

    /// The reason TLS failed, in the words of the TLS library, if no connection was made because of it. At most 200 bytes.
    pub fn tls_failure(&self) -> Option<&str> {
        self.verdict().tls_failure()
    }
}
