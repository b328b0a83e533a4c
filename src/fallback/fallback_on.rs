//! Which failures a fallback takes.

use crate::{
    dialect::{Dialect, RequestInfo, ToolFilter},
    outcome::{Outcome, Rejection},
};

/// A failure that a fallback takes: see [`Fallback::on`](super::Fallback::on).
///
/// A refusal by our own breaker does not show what failed on the route, so it counts as [`Unavailable`](Self::Unavailable),
/// [`Slow`](Self::Slow) and [`Tool`](Self::Tool) alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FallbackOn {
    /// The request was too large.
    TooLarge,
    /// The rate was limited.
    RateLimited,
    /// The quota is exhausted, or the account must pay first.
    Quota,
    /// The provider was unavailable or unreachable, or its answer was malformed, truncated, empty or missing.
    Unavailable,
    /// A timeout passed.
    Slow,
    /// The call declares the tool of that name and failed in a way the tool may cause: unavailable, slow, or rejected as wrong.
    Tool(Box<str>),
    /// The content was blocked. Without a fallback for it, the caller gets the blocked answer.
    Blocked,
    /// The request was rejected as wrong, or declined without a reason. Without a fallback for it, the caller gets that answer.
    Rejected,
    /// The credential, the model, or a feature of the request was rejected.
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
            | (Self::Rejected, Outcome::Declined)
            | (
                Self::Rejected,
                Outcome::Rejected { why: Rejection::Request | Rejection::Parameter },
            ) => true,
            (Self::NoAccess, Outcome::Rejected { why }) => {
                !matches!(why, Rejection::Request | Rejection::Payment)
            }
            (Self::Slow, _) => is_slow(outcome),
            (Self::Unavailable, _) => is_failure(outcome),
            (Self::Tool(name), _) => {
                let wrong = matches!(
                    outcome,
                    Outcome::Declined
                        | Outcome::Rejected { why: Rejection::Request | Rejection::Parameter }
                );
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
            | Outcome::Unfinished
            | Outcome::NotSent { .. }
    )
}
