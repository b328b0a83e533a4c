//! A stream that another answer can follow: only whole events are handed on, therefore the part that was read is well-formed wherever the stream breaks.

mod partial_event;
mod stream;

pub use stream::{ReadOutcome, ResumableStream};
