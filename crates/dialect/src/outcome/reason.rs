//! The details of an outcome: the time limit that passed, the reason for a rejection, the signal to a breaker.

use std::fmt;

/// The time limit that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Connecting.
    Connect,
    /// A whole unstreamed attempt.
    Attempt,
    /// The first event with content of a stream.
    FirstEvent,
    /// The silence between two events with content.
    Idle,
    /// The whole stream.
    Stream,
    /// The deadline of the call.
    Deadline,
}

/// The reason a request was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The credential is missing, wrong, expired or revoked: a 401, or a code for that. Another target has another credential.
    Credential,
    /// 402 without an exhausted quota. Another target may be paid for.
    Payment,
    /// The resource of this request is not permitted, or not affordable: a file, a scope, an answer of that length. Other
    /// requests with the same credential are not affected. Another target may permit it.
    Permission,
    /// 403 from a proxy or firewall on the way, such as a block page, and 407. The credential is not affected. The way to another
    /// target may be free.
    Gateway,
    /// 404 of a model or deployment. Another target may have it.
    Model,
    /// A parameter of the request, or its value, that this target does not take. Another target may take it.
    Parameter,
    /// The request itself: every target would reject it.
    Request,
}

/// The signal of an outcome to a breaker. A breaker handles every variant, so a new one is a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerSignal {
    /// The route is healthy.
    Success,
    /// The route failed: counts in a row and in the ratio.
    Failure,
    /// The route pushes back: lowers the ratio, never counts in a row; fails a probe.
    Pushback,
    /// The route is unavailable for minutes.
    Exhausted,
    /// The credential of the route was rejected: unavailable for minutes after a second rejection.
    Unauthorized,
    /// No information about the route.
    Ignored,
    /// The caller cancelled; a slow call if it had waited past the slow threshold.
    Cancelled,
}

// === impl Phase ===

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Attempt => "the whole answer",
            Self::FirstEvent => "the first content of the stream",
            Self::Idle => "the next content of the stream",
            Self::Stream => "the whole stream",
            Self::Deadline => "the deadline of the call",
        })
    }
}

// === impl Rejection ===

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credential => "the credential",
            Self::Payment => "the account, which is to pay first",
            Self::Permission => "what the request asks for, which is not permitted",
            Self::Gateway => "the call on its way",
            Self::Model => "the model",
            Self::Parameter => "a parameter of the request",
            Self::Request => "the request",
        })
    }
}
