//! Streams: decoded, watched, guarded.
//!
//! Every answer of this crate has a [`Body`](crate::Body) that ends in exactly one [`Ending`], also when it is dropped
//! half-way. A stream whose language is known is read as it passes: an error in it, a cut, or silence becomes an error
//! of its body; a stream that is whole stays well, whatever the connection does after it. Bytes are handed on as they came.
//!
//! A stream is held back until its first content ([`Commit`]): until then it can fail without the caller having seen
//! anything, so that it can be asked again or elsewhere.
//!
//! # Defaults
//!
//! [`Commit::FirstContent`]: at most 64 events or 256 KiB are held back (see
//! [`ClassifyPolicy`](crate::classify::ClassifyPolicy)).
//!
//! ```
//! use evenkeel::{Body, stream::Ending};
//! use std::sync::mpsc;
//!
//! let (send, endings) = mpsc::channel();
//! let mut body = Body::from("whole at once");
//! body.on_end(move |ending| send.send(*ending).unwrap());
//! assert_eq!(endings.recv(), Ok(Ending::Done));
//! ```
//!
//! # Events
//!
//! None of its own; what waits for the end of a body learns its ending by [`Body::on_end`](crate::Body::on_end).
//!
//! # Pitfalls
//!
//! A caller who stops reading once it has the finish reason has a whole answer; its body, dropped then, is done. One who
//! stops before it has cancelled. What a stream cost is known only if it was read to its end.

mod array;
mod ending;
mod guard;
mod ndjson;
mod peek;
mod sse;
mod tap;
mod watch;

pub use ending::Ending;
pub(crate) use guard::Guard;
pub use peek::Commit;
pub(crate) use peek::{Hold, collect, peek};
pub(crate) use tap::{Tap, each_event};
pub(crate) use watch::{Seen, Watch};
