//! The words beside the outcome: which limit passed, why a request was rejected, what a breaker makes of it.

use std::fmt;

/// The limit that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Connecting.
    Connect,
    /// One attempt at an answer that is not streamed, whole.
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

/// Why a request was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The credential is missing, wrong, expired or revoked: a 401, or a code that says so. Another target has another.
    Credential,
    /// 402 that does not say that the money is gone. Another target may be paid.
    Payment,
    /// What this one request asks for is not permitted, or not affordable: a file, a scope, a resource, an answer of that length.
    /// It says nothing of other requests with the same credential. Another target may permit it.
    Permission,
    /// 403 of something on the way, such as the block page of a firewall, and 407: it says nothing of the credential. The way to
    /// another target may be free.
    Gateway,
    /// 404 of a model or deployment. Another target may have it.
    Model,
    /// The request itself: no target would take it.
    Request,
}

/// What the breaker makes of an outcome. A breaker decides on every one of them, so that a new one is a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerSignal {
    /// The route is well.
    Success,
    /// The route failed: counts in a row and in the ratio.
    Failure,
    /// The route pushes back: lowers the ratio, never counts in a row; fails a probe.
    Pushback,
    /// The route is out for minutes.
    Exhausted,
    /// The credential of the route was rejected: out for minutes when it is once more.
    Unauthorized,
    /// Says nothing of the route.
    Ignored,
    /// The caller left; a slow call if it had waited past the slow threshold.
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
            Self::Request => "the request",
        })
    }
}
