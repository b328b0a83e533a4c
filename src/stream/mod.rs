//! Streams: decoded, watched, guarded.

mod ending;
mod guard;
mod watch;

pub use ending::Ending;
pub(crate) use guard::Guard;
pub(crate) use watch::{Seen, Watch};
