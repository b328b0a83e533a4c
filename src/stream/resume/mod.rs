//! Continues a stream that broke off with another answer.

mod body;

use std::{future::Future, pin::Pin};

pub(crate) use body::{ResumeParts, Resumed};

use crate::{Body, outcome::Outcome};

/// The handling of a stream that fails after its commit point, when the caller has read a part of it.
///
/// Set it for the [fallbacks](crate::fallback::FallbackPolicy::mid_stream_failure) or a
/// [client](crate::ClientBuilder::mid_stream_failure), or put one into the extensions of a request for a single call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MidStreamFailure {
    /// The body ends in an error. The default: no second request is sent unasked.
    #[default]
    Error,
    /// The next fallback that declares that it [takes a prefill](crate::fallback::Capabilities::prefill) continues with the text
    /// so far; the caller sees one stream. If there is none, or none can continue, the body ends in the first failure.
    Continue,
}

/// Requests an answer that continues a stream.
pub(crate) trait Continuation: Send + Sync {
    /// Requests an answer that continues after the text `said`, and returns it with the continuation to use if it fails too.
    /// `None` if no fallback is left.
    fn continue_after(self: Box<Self>, said: Box<str>, why: Outcome) -> ContinuationFuture;
}

/// The request for a continuing answer.
pub(crate) type ContinuationFuture =
    Pin<Box<dyn Future<Output = Option<(Box<dyn Continuation>, Body)>> + Send>>;
