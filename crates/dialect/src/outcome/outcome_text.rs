//! The name and the text of an outcome.

use std::{fmt, time::Duration};

use super::Outcome;

// === impl Outcome ===

impl Outcome {
    /// The name in spans, metrics and attempt logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Unavailable { .. } => "unavailable",
            Self::RateLimited { .. } => "rate_limited",
            Self::QuotaExhausted { .. } => "quota_exhausted",
            Self::Unreachable => "unreachable",
            Self::ConnectionLost => "broken",
            Self::TimedOut { .. } => "timed_out",
            Self::Truncated => "truncated",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
            Self::Unfinished => "unfinished",
            Self::TooLarge => "too_large",
            Self::Blocked => "blocked",
            Self::Rejected { .. } => "rejected",
            Self::Declined => "declined",
            Self::NotSent { .. } => "refused",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("answered"),
            Self::Unavailable { wait } => waiting(f, "the provider is unavailable", *wait),
            Self::RateLimited { wait } => waiting(f, "the provider limits the rate", *wait),
            Self::QuotaExhausted { wait } => waiting(f, "the quota is exhausted", *wait),
            Self::Unreachable => f.write_str("no connection to the provider"),
            Self::ConnectionLost => f.write_str("the connection broke after the request was sent"),
            Self::TimedOut { phase } => write!(f, "timed out: {phase}"),
            Self::Truncated => f.write_str("the answer was cut short"),
            Self::Empty => f.write_str("the answer has no content"),
            Self::Malformed => f.write_str("the answer is not one of this API"),
            Self::Unfinished => f.write_str("the model did not finish its answer"),
            Self::TooLarge => f.write_str("the request is too large for the target"),
            Self::Blocked => f.write_str("the provider blocked the request or its answer"),
            Self::Rejected { why } => write!(f, "the provider rejected {why}"),
            Self::Declined => f.write_str("the provider declined the request"),
            Self::NotSent { retry_in } => waiting(f, "not sent: the route is closed", *retry_in),
            Self::Cancelled => f.write_str("the caller went away"),
        }
    }
}

fn waiting(f: &mut fmt::Formatter<'_>, what: &str, wait: Option<Duration>) -> fmt::Result {
    match wait {
        Some(wait) => write!(f, "{what}, for {wait:.1?}"),
        None => f.write_str(what),
    }
}
