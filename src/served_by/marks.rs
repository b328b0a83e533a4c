//! The marks of answers that no target made.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::Response;

/// Marks a stored answer, in the extensions of its response. On the wire it is the header `evenkeel-stored`, `fresh` or `stale`,
/// beside `age` in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit {
    /// The time since it was stored.
    pub age: Duration,
    /// Whether it is older than [`CachePolicy::serve_fresh_for`](crate::cache::CachePolicy::serve_fresh_for) allows: an answer
    /// for an outage.
    pub stale: bool,
}

/// Marks a canned reply, in the extensions of its response, so that an application can count it and label it.
///
/// On the wire, the header `evenkeel-canned: true` marks it, and so does the id of the answer, which contains `canned`, for
/// clients that hide headers. (Ollama answers have no id.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CannedReply;

/// The header that marks a canned reply.
pub(super) const CANNED: HeaderName = HeaderName::from_static("evenkeel-canned");
/// The header that marks a stored answer, and its values.
pub(super) const STORED: HeaderName = HeaderName::from_static("evenkeel-stored");
const FRESH: &str = "fresh";
pub(super) const STALE: &str = "stale";

// === impl Hit ===

impl Hit {
    pub(crate) fn new(age: Duration, stale: bool) -> Self {
        Self { age, stale }
    }

    pub(crate) fn mark(self, response: &mut Response) {
        let value = HeaderValue::from_static(if self.stale { STALE } else { FRESH });
        response.headers_mut().insert(STORED, value);
        response.extensions_mut().insert(self);
    }
}

// === impl CannedReply ===

impl CannedReply {
    pub(crate) fn mark(self, response: &mut Response) {
        response.headers_mut().insert(CANNED, HeaderValue::from_static("true"));
        response.extensions_mut().insert(self);
    }
}
