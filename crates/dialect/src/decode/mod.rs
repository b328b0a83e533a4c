//! Where one event of a stream ends and the next begins.
//!
//! [`EventBoundary`] is the one place that knows: for server-sent events, for JSON by the line and for one JSON array it finds the
//! end of each event in bytes that may be split anywhere. All that read a stream stand on it:
//!
//! - [`Decoder`] lends each event by name and data, from where it lies in the bytes; only an event that is split is copied
//! - [`ResumableStream`](crate::ResumableStream) hands on whole events, so that another answer can follow them
//! - [`ErrorTail`](crate::ErrorTail) puts an error behind the last whole event
//!
//! The chunks of a chat completion, which are alike but for their words, have a faster way past the decoder: see
//! `openai_chat/fast_path.rs`.

mod array;
mod boundary;
mod decoder;
mod raw_event;
mod sse;

pub(crate) use boundary::{EventBoundary, EventFrame};
pub(crate) use decoder::{Decoder, TooLarge, each_event};
pub(crate) use raw_event::RawEvent;
