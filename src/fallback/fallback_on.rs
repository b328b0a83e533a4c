//! Which failures a fallback is for.

use crate::{
    dialect::{Dialect, RequestInfo, ToolFilter},
    outcome::{Outcome, Rejection},
};

/// A failure that a fallback can be for: see [`Fallback::on`](super::Fallback::on).
///
/// A refusal by our own breaker says only that the route was in trouble, so it is [`Unavailable`](Self::Unavailable),
/// [`Slow`](Self::Slow) and [`Tool`](Self::Tool) alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FallbackOn {
    /// The request was too large.
    TooLarge,
    /// The rate was limited.
    RateLimited,
    /// The quota was gone, or the account is to pay first.
    Quota,
    /// The provider failed: it was unavailable or unreachable, or its answer broke, was cut short, empty or none.
    Unavailable,
    /// It took too long: one of the limits of time passed.
    Slow,
    /// The call brings the tool of that name, and failed as it may because of it: unavailable, slow, or rejected as wrong.
    Tool(Box<str>),
    /// The content was blocked. Without a fallback for it the ladder does not route around that.
    Blocked,
    /// The request was rejected as wrong. Without a fallback for it that is the answer.
    Rejected,
    /// The credential, the model, or what the request asks for was rejected.
    NoAccess,
}

// === impl FallbackOn ===

impl FallbackOn {
    /// A failing tool, by its name.
    pub fn tool(name: &str) -> Self {
        Self::Tool(name.into())
    }

    pub(super) fn is(&self, outcome: Outcome, info: &RequestInfo, body: &[u8]) -> bool {
        match (self, outcome) {
            (Self::TooLarge, Outcome::TooLarge)
            | (Self::RateLimited, Outcome::RateLimited { .. })
            | (Self::Quota, Outcome::QuotaExhausted { .. })
            | (Self::Quota, Outcome::Rejected { why: Rejection::Payment })
            | (Self::Blocked, Outcome::Blocked)
            | (Self::Rejected, Outcome::Rejected { why: Rejection::Request }) => true,
            (Self::NoAccess, Outcome::Rejected { why }) => {
                !matches!(why, Rejection::Request | Rejection::Payment)
            }
            (Self::Slow, _) => is_slow(outcome),
            (Self::Unavailable, _) => is_failure(outcome),
            (Self::Tool(name), _) => {
                let wrong = outcome == Outcome::Rejected { why: Rejection::Request };
                let may = is_slow(outcome) || is_failure(outcome) || wrong;
                may && info.dialect().is_some_and(|dialect| brings(dialect, body, name))
            }
            _ => false,
        }
    }
}

fn brings(dialect: Dialect, body: &[u8], name: &str) -> bool {
    dialect.declares(body, &ToolFilter::Named(vec![name.into()]))
}

fn is_slow(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::TimedOut { .. } | Outcome::NotSent { .. })
}

fn is_failure(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Unavailable { .. }
            | Outcome::Unreachable
            | Outcome::ConnectionLost
            | Outcome::Truncated
            | Outcome::Empty
            | Outcome::Malformed
            | Outcome::NotSent { .. }
    )
}
