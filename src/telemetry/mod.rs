//! What happened is always told.

mod event;
mod tracing;

pub use event::{Event, Events, Observe, Skip, Stop};
