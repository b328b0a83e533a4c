//! The meaning of a provider's error code.

use std::time::Duration;

use crate::outcome::{Outcome, Rejection, retry_hint::RetryHints};

/// The meaning of a provider's error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeClass {
    /// The provider is reachable and cannot answer now.
    Unavailable,
    /// Too many requests or tokens at present.
    RateLimited,
    /// The credit, or the quota of a day or more, is used up.
    QuotaExhausted,
    /// The request is larger than the model's context or than the server accepts.
    TooLarge,
    /// The content filter or the model refused.
    Blocked,
    /// The request is wrong for this target.
    Rejected(Rejection),
    /// The target does not answer the request and does not say why.
    Declined,
    /// The model made a mistake that the provider reports as an error, such as a tool call that cannot be parsed. The same
    /// request may have an answer.
    Unfinished,
    /// A status in words. It counts only if the status of the response is not specific: inside a stream, inside a 2xx, and with a
    /// bare 400 or 500.
    Status(u16),
}

/// The shortest wait for an exhausted quota.
pub(in crate::outcome) const QUOTA: Duration = Duration::from_secs(60);

pub(in crate::outcome) const CREDENTIAL: CodeClass = CodeClass::Rejected(Rejection::Credential);
pub(in crate::outcome) const PERMISSION: CodeClass = CodeClass::Rejected(Rejection::Permission);
pub(in crate::outcome) const MODEL: CodeClass = CodeClass::Rejected(Rejection::Model);
pub(super) const GATEWAY: CodeClass = CodeClass::Rejected(Rejection::Gateway);
pub(in crate::outcome) const PARAMETER: CodeClass = CodeClass::Rejected(Rejection::Parameter);
pub(in crate::outcome) const REQUEST: CodeClass = CodeClass::Rejected(Rejection::Request);

// === impl CodeClass ===

impl CodeClass {
    /// The meaning of an error status without further information. See the [module](crate::outcome) for the table.
    pub(in crate::outcome) fn of_status(status: u16) -> Self {
        match status {
            401 => CREDENTIAL,
            // The resource is forbidden to this request; the key is not rejected.
            403 => PERMISSION,
            // From a proxy, not from the provider.
            407 => GATEWAY,
            402 => Self::Rejected(Rejection::Payment),
            404 | 410 => MODEL,
            408 | 409 | 421 | 425 | 498 => Self::Unavailable,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            451 => Self::Blocked,
            // A redirect that was not followed is no answer either.
            300..=499 => Self::Declined,
            _ => Self::Unavailable,
        }
    }

    /// The meaning with a status in words resolved.
    pub(in crate::outcome) fn resolved(self) -> Self {
        match self {
            Self::Status(status) => Self::of_status(status),
            other => other,
        }
    }

    /// Whether the meaning is explicit, and no wait of seconds can help.
    pub(in crate::outcome) fn is_permanent(self) -> bool {
        !self.is_transient() && !matches!(self, Self::Status(_))
    }

    /// Whether the meaning is explicit, and a wait helps.
    pub(in crate::outcome) fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::RateLimited | Self::Unfinished)
    }

    /// The outcome, with its wait.
    pub(in crate::outcome) fn outcome(self, hints: RetryHints) -> Outcome {
        match self.resolved() {
            Self::RateLimited => Outcome::RateLimited { wait: hints.asked.or(hints.reset) },
            // A quota does not recover within seconds, whatever a generic header says.
            Self::QuotaExhausted => {
                let asked = hints.asked.filter(|wait| *wait >= QUOTA);
                Outcome::QuotaExhausted { wait: asked.or(hints.renewed) }
            }
            Self::TooLarge => Outcome::TooLarge,
            Self::Blocked => Outcome::Blocked,
            Self::Rejected(why) => Outcome::Rejected { why },
            Self::Declined => Outcome::Declined,
            Self::Unfinished => Outcome::Unfinished,
            Self::Unavailable | Self::Status(_) => Outcome::Unavailable { wait: hints.asked },
        }
    }
}
