//! What happened to a call: its attempts in order, and how the body of its answer ended.

mod body_end;
mod log;

pub use body_end::BodyEnd;
pub use log::{Attempt, AttemptLog};
