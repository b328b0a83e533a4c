//! The outcome of an attempt, and its consequences.

use std::time::Duration;

use http::StatusCode;

use super::{BreakerSignal, Phase, Rejection};

/// The outcome of an attempt.
///
/// Retries, breakers, limits, fallbacks, errors, spans and the attempt log of a call all use it. Its methods define the
/// consequences of each outcome, so that no layer has a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// A whole, well-formed answer; for a stream, one that has started with content.
    Success,
    /// The provider is reachable and cannot answer now: 500, 502, 503, 504, 408, 409, 498, 529, an error inside the stream.
    Unavailable {
        /// The wait that the provider asked for.
        wait: Option<Duration>,
    },
    /// Too many requests or tokens at present: 429 and equivalents.
    RateLimited {
        /// The wait that the provider asked for.
        wait: Option<Duration>,
    },
    /// The credit or the day's quota is used up: a wait of seconds does not help.
    QuotaExhausted {
        /// The time until the quota is known to be renewed.
        wait: Option<Duration>,
    },
    /// No connection: refused, unknown host, TLS failure, connect timeout. Nothing was sent.
    Unreachable,
    /// The connection broke after the request was sent: the provider may have answered it, and charge for it.
    ConnectionLost,
    /// A time limit of evenkeel passed without progress.
    TimedOut {
        /// The time limit.
        phase: Phase,
    },
    /// The answer was truncated.
    Truncated,
    /// A success without any content.
    Empty,
    /// Not an answer of this API: wrong content type, not JSON, not the expected shape.
    Malformed,
    /// The model stopped for a reason that is not one of a valid answer, such as a call of a tool that cannot be parsed. Another
    /// sample of the same model, or another model, may be right.
    Unfinished,
    /// The request is larger than the model's context or than the server accepts.
    TooLarge,
    /// The provider's content filter or the model refused.
    Blocked,
    /// The provider says what is wrong with the request for this target.
    Rejected {
        /// The reason for the rejection.
        why: Rejection,
    },
    /// The provider declined the request, and does not say that something is wrong with it: any other 4xx, a 3xx.
    Declined,
    /// Our own breaker, limit or budget rejected the attempt; nothing was sent.
    NotSent {
        /// The time until a retry may succeed.
        retry_in: Option<Duration>,
    },
    /// The caller cancelled.
    Cancelled,
}

// === impl Outcome ===

impl Outcome {
    /// Whether the outcome is a success.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Success)
    }

    /// Whether the same request may be sent to the same route again.
    ///
    /// [`ConnectionLost`](Self::ConnectionLost) only once, because the provider may charge for it: see
    /// [`retry_at_most_once`](Self::retry_at_most_once).
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::RateLimited { .. }
                | Self::Unreachable
                | Self::ConnectionLost
                | Self::Truncated
                | Self::Empty
                | Self::Malformed
                | Self::Unfinished
        )
    }

    /// Whether only one retry is allowed: the provider may have done the work, and charge for it.
    pub fn retry_at_most_once(self) -> bool {
        matches!(
            self,
            Self::ConnectionLost
                | Self::Truncated
                | Self::Empty
                | Self::Malformed
                | Self::Unfinished
        )
    }

    /// Whether the provider may have executed the request, or be executing it: nothing shows that it did not start.
    pub fn may_have_acted(self) -> bool {
        match self {
            Self::Unreachable
            | Self::NotSent { .. }
            | Self::RateLimited { .. }
            | Self::QuotaExhausted { .. }
            | Self::TooLarge
            | Self::Blocked
            | Self::Rejected { .. }
            | Self::Declined => false,
            Self::TimedOut { phase } => phase != Phase::Connect,
            Self::Success
            | Self::Unavailable { .. }
            | Self::ConnectionLost
            | Self::Truncated
            | Self::Empty
            | Self::Malformed
            | Self::Unfinished
            | Self::Cancelled => true,
        }
    }

    /// Whether no wait of seconds can help on this route: the request, the credential or the money has to change first.
    pub fn is_permanent(self) -> bool {
        matches!(
            self,
            Self::QuotaExhausted { .. }
                | Self::TooLarge
                | Self::Blocked
                | Self::Rejected { .. }
                | Self::Declined
        )
    }

    /// Whether the next fallback is tried.
    pub fn allows_fallback(self) -> bool {
        match self {
            Self::Success | Self::Blocked | Self::Cancelled => false,
            Self::Rejected { why } => why != Rejection::Request,
            _ => true,
        }
    }

    /// Whether an equal target, with another key, region or deployment, may have another outcome with the same request.
    pub fn may_differ(self) -> bool {
        let late = Self::TimedOut { phase: Phase::Deadline };
        self.allows_fallback() && self != Self::TooLarge && self != late
    }

    /// The signal to a breaker.
    pub fn breaker_signal(self) -> BreakerSignal {
        match self {
            Self::Success => BreakerSignal::Success,
            Self::RateLimited { .. } => BreakerSignal::Pushback,
            Self::QuotaExhausted { .. } => BreakerSignal::Exhausted,
            Self::Rejected { why: Rejection::Credential | Rejection::Payment } => {
                BreakerSignal::Unauthorized
            }
            Self::Unavailable { .. }
            | Self::Unreachable
            | Self::ConnectionLost
            | Self::TimedOut { .. }
            | Self::Truncated
            | Self::Empty
            | Self::Malformed => BreakerSignal::Failure,
            Self::Unfinished
            | Self::TooLarge
            | Self::Blocked
            | Self::Rejected { .. }
            | Self::Declined
            | Self::NotSent { .. } => BreakerSignal::Ignored,
            Self::Cancelled => BreakerSignal::Cancelled,
        }
    }

    /// The wait that the provider, or our own breaker, asked for.
    pub fn wait(self) -> Option<Duration> {
        match self {
            Self::Unavailable { wait }
            | Self::RateLimited { wait }
            | Self::QuotaExhausted { wait }
            | Self::NotSent { retry_in: wait } => wait,
            _ => None,
        }
    }

    /// The equivalent status, for code that answers in place of a provider.
    pub fn reply_status(self) -> StatusCode {
        match self {
            Self::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::NotSent { .. } | Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::RateLimited { .. } | Self::QuotaExhausted { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Blocked | Self::Rejected { why: Rejection::Request } => StatusCode::BAD_REQUEST,
            Self::Rejected { .. } => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_GATEWAY,
        }
    }
}
