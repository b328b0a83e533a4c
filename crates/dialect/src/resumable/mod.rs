//! A stream that another answer can follow: only whole events are passed on, so the part that the caller has is well-formed
//! wherever the stream breaks.

mod partial_event;
mod stream;

pub use stream::{ReadOutcome, ResumableStream};
