//! The attempts of a call, and how the body of its answer ended.

mod body_end;
mod call_id;
mod degradation;
mod injected;
mod log;

pub use body_end::BodyEnd;
pub use call_id::CallId;
pub use degradation::Degradation;
#[cfg(feature = "chaos")]
pub(crate) use injected::Injected;
pub use log::{Attempt, AttemptLog};
