//! Goes on with another answer where a stream broke off.

mod body;

use std::{future::Future, pin::Pin};

pub(crate) use body::{ResumeParts, Resumed};

use crate::{Body, outcome::Outcome};

/// What becomes of a stream that fails after its commit point, when the caller has read a part of it.
///
/// Set it for a [ladder](crate::fallback::FallbackPolicy::mid_stream_failure) or a
/// [client](crate::ClientBuilder::mid_stream_failure), or put one into the extensions of a request for that call alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MidStreamFailure {
    /// Its body ends in an error. The default: nobody is asked twice behind the caller's back.
    #[default]
    Error,
    /// The next fallback that declares that it [takes a prefill](crate::fallback::Capabilities::prefill) goes on with the text said
    /// so far; the caller sees one stream. Where none does, or none can, the body ends in the first failure.
    Continue,
}

/// Who is asked to go on with an answer.
pub(crate) trait Continuation: Send + Sync {
    /// An answer that goes on after what was `said`, and who is asked next if that fails too. `None` where nobody is left.
    fn continue_after(self: Box<Self>, said: Box<str>, why: Outcome) -> ContinuationFuture;
}

/// The answer that goes on, under way.
pub(crate) type ContinuationFuture =
    Pin<Box<dyn Future<Output = Option<(Box<dyn Continuation>, Body)>> + Send>>;
