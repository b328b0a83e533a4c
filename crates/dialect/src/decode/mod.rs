//! Splits a stream into events.
//!
//! [`EventBoundary`] finds the end of each event in bytes that may be split anywhere, for server-sent events, JSON lines and one
//! JSON array. All readers of a stream use it:
//!
//! - [`Decoder`] returns each event by name and data, borrowed from the bytes; only an event that is split is copied
//! - [`ResumableStream`](crate::ResumableStream) passes on whole events, so that another answer can follow them
//! - [`ErrorTail`](crate::ErrorTail) appends an error after the last whole event
//!
//! The chunks of a chat completion, which differ only in their words, bypass the decoder: see `openai_chat/fast_path.rs`.

mod array;
mod boundary;
mod decoder;
mod raw_event;
mod sse;

pub(crate) use boundary::{EventBoundary, EventFrame};
pub(crate) use decoder::{Decoder, TooLarge, each_event};
pub(crate) use raw_event::RawEvent;
