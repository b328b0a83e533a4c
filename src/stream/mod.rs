//! Streams: decoded, watched, guarded.
//!
//! Every answer of this crate has a [`Body`] that ends in exactly one [`BodyEnd`], also when it is dropped
//! half-way. A stream whose language is known is read as it passes: an error in it, a cut, or silence becomes an error
//! of its body; a stream that is whole stays well, whatever the connection does after it. Bytes are handed on as they came.
//!
//! A stream is held back until its first content ([`CommitPolicy`]): until then it can fail without the caller having seen
//! anything, so that it can be asked again or elsewhere.
//!
//! # When a stream fails while it is read
//!
//! By default its body ends in an error: what was read cannot be taken back, and nobody is asked twice behind the
//! caller's back. With [`MidStreamFailure::Continue`] the next fallback of the [ladder](crate::fallback) that declares that it takes a
//! [prefill](crate::fallback::Capabilities::prefill) is asked to go on: its request has the text said so far as the beginning of
//! the answer. The caller sees one stream:
//!
//! - no event twice, no second head, one end, one usage; ids and places go on, and white space does not come twice
//! - only whole events are handed on, in the bytes they came in; the beginning of an event waits for its end, so what was
//!   read is well-formed wherever the first answer broke off. An event that is an error is not handed on
//! - one [`BodyEnd`]; the [`UsageHandle`](crate::dialect::UsageHandle) is that of all answers together
//!
//! It is a failure of the first route all the same, and the attempt log says so. The answer that goes on comes through all
//! layers below the ladder, with their retries, their breakers and their limits on time, and has as long for its first
//! content as the call had for its answer; [`stream_total`](crate::timeout::TimeoutPolicy::stream_total) bounds them
//! together. If it fails too, the next fallback is asked, each once. Where nobody can go on, the body ends in the *first*
//! failure: that a prefill was rejected hides nothing.
//!
//! The call of a tool, reasoning, a second choice, and more than 1 MiB of text cannot be put into a prefill, nor can
//! anything of OpenAI responses or of Ollama's `/api/generate`: there the body ends in an error.
//!
//! ```
//! use evenkeel::{Client, fallback::{Capabilities, Prefill, Fallback, Target}, stream::MidStreamFailure};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let second = Target::new("https://api.deepseek.com/beta").bearer("its key").model("deepseek-chat");
//! let builder = Client::builder()
//!     .mid_stream_failure(MidStreamFailure::Continue)
//!     .fallback(Fallback::target(second).capabilities(Capabilities::default().prefill(Prefill::Prefix)));
//! # let _ = builder; Ok(())
//! # }
//! ```
//!
//! # When a stream fails that a server passes on
//!
//! A client of that server cannot see the error of a body. [`ErrorTailBody`] reports it as the last event of the stream, in the dialect
//! of the request.
//!
//! # Defaults
//!
//! [`MidStreamFailure::Error`]. [`CommitPolicy::FirstContent`]: at most 64 events or 256 KiB are held back (see
//! [`ClassifyPolicy`](crate::classify::ClassifyPolicy)).
//!
//! ```
//! use evenkeel::{Body, stream::BodyEnd};
//! use std::sync::mpsc;
//!
//! let (send, endings) = mpsc::channel();
//! let mut body = Body::from("whole at once");
//! body.on_end(move |ending| send.send(*ending).unwrap());
//! assert_eq!(endings.recv(), Ok(BodyEnd::Done));
//! ```
//!
//! # Events
//!
//! [`Resumed`](crate::telemetry::EventKind::Resumed) where another answer goes on. What waits for the end of a body learns
//! its ending by [`Body::on_end`](crate::Body::on_end).
//!
//! # Pitfalls
//!
//! A caller who stops reading once it has the finish reason has a whole answer; its body, dropped then, is done. One who
//! stops before it has cancelled. What a stream cost is known only if it was read to its end.
//!
//! Two models never write with one voice, and a caller's `max_tokens` bounds each answer, not both together. An answer
//! that broke off between its last word and its end is not made whole: an empty answer proves nothing.

mod body;
mod body_end;
mod error_tail_body;
mod idle_timeout;
mod monitored;
mod peek;
mod progress_signal;
mod resume;
mod tap;
#[cfg(test)]
mod tests;
mod throughput;

pub use body::Body;
pub use error_tail_body::ErrorTailBody;
pub(crate) use idle_timeout::IdleTimeout;
pub(crate) use monitored::MonitoredBody;
pub use peek::CommitPolicy;
pub(crate) use peek::{HoldLimits, collect, peek};
pub(crate) use progress_signal::{FirstContentAt, ProgressSignal, StreamDeadline};
pub use resume::MidStreamFailure;
pub(crate) use resume::{Continuation, ContinuationFuture, ResumeParts, Resumed};
pub(crate) use tap::Tap;
pub(crate) use throughput::{MinThroughput, ThroughputMeter};

pub use crate::attempt_log::BodyEnd;
