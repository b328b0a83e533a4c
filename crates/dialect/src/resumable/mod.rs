//! A stream that another answer can follow: only whole events are handed on, so what was read is well-formed wherever it breaks off.

mod partial_event;
mod stream;

pub use stream::{ReadOutcome, ResumableStream};
