//! The values of one call, carried in [`http::Extensions`].
//!
//! A caller may put a [`Deadline`], a [`Priority`] or a [`Sticky`] key into a request, and what other parts take for one call
//! alone: [`Fallbacks`](crate::ladder::Fallbacks), a [`Commit`](crate::stream::Commit), a
//! [`Resume`](crate::stream::Resume), a [`Dialect`](crate::dialect::Dialect). The stack carries one [`Call`] from layer to
//! layer, and puts the [`Journey`] into every response it gives back.
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::context::Deadline;
//!
//! let mut request = http::Request::post("https://api.example.com/v1/chat/completions").body(bytes::Bytes::new())?;
//! request.extensions_mut().insert(Deadline::within(Duration::from_secs(8)));
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # Defaults
//!
//! A call without a [`Deadline`] has that of its profile. A [`Route`] is made of the host, the model in the request and a
//! fingerprint of its credential, unless a target says otherwise.
//!
//! # Pitfalls
//!
//! A [`Journey`] is a handle: it goes on until the body of the answer has ended.

mod call;
mod deadline;
mod journey;
mod once;
mod route;
mod sticky;

pub use call::Call;
pub(crate) use deadline::later;
pub use deadline::{Deadline, Priority};
pub use journey::{Attempt, Journey};
pub use once::Once;
pub use route::Route;
pub(crate) use route::{CREDENTIALS, fingerprint, provider};
pub use sticky::Sticky;
pub(crate) use sticky::hash;
