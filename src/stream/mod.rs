//! Streams: decoding, monitoring and time limits.
//!
//! Every answer of this crate has a [`Body`] that ends in exactly one [`BodyEnd`], also when it is dropped before its end. A
//! stream in a known dialect is parsed as it passes: an error in it, a cut, or a timeout becomes an error of its body; a complete
//! stream stays a success, whatever the connection does after it. Bytes are handed on unchanged.
//!
//! A stream is held back until its first content ([`CommitPolicy`]): until then a failure is invisible to the caller, so the call
//! can be retried or sent elsewhere.
//!
//! A stream in a content coding is decoded for the parser alone: see [`coding`](crate::coding).
//!
//! # When a stream fails while it is read
//!
//! By default its body ends in an error: the part already read cannot be taken back, and no second request is sent unasked. With
//! [`MidStreamFailure::Continue`] the next [fallback](crate::fallback) that declares that it takes a
//! [prefill](crate::fallback::Capabilities::prefill) continues the answer: its request contains the text so far as the beginning
//! of the answer. The caller sees one stream:
//!
//! - no event twice, no second head, one end, one usage; ids and indexes continue, and white space is not repeated
//! - only whole events are handed on, byte for byte; the beginning of an event waits for its end, so the part that was read is
//!   well-formed wherever the first answer broke off. An event that is an error is not handed on
//! - one [`BodyEnd`]; the [`UsageHandle`](crate::dialect::UsageHandle) is that of all answers together
//!
//! It still counts as a failure of the first route, and the attempt log records it. The continuing answer passes through all
//! layers below the fallbacks, with their retries, breakers and time limits, and has the same time for its first content as the
//! call had for its answer; [`stream_total`](crate::timeout::TimeoutPolicy::stream_total) limits both together. If it fails too,
//! the next fallback is tried, each once. If none can continue, the body ends in the *first* failure: a rejected prefill hides
//! nothing.
//!
//! A tool call, reasoning, a second choice, and more than 1 MiB of text cannot be put into a prefill, nor can anything of OpenAI
//! responses or of Ollama's `/api/generate`: there the body ends in an error.
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
//! # When a proxied stream fails
//!
//! A client of a server that passes the stream on cannot see the error of a body. [`ErrorTailBody`] reports it as the last event
//! of the stream, in the dialect of the request.
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
//! [`Resumed`](crate::telemetry::EventKind::Resumed) when another answer continues the stream.
//! [`Body::on_end`](crate::Body::on_end) reports the ending of a body.
//!
//! # Pitfalls
//!
//! A body that is dropped after the finish reason was read ends as [`BodyEnd::Done`]; one that is dropped before it ends as
//! cancelled. The usage of a stream is only known if it was read to its end.
//!
//! Two models differ in style, and a caller's `max_tokens` limits each answer, not both together. An answer that broke off
//! between its last word and its end is not treated as complete: an empty continuation proves nothing.

mod body;
mod body_end;
mod decoded_body;
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
pub use decoded_body::decode_response;
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
