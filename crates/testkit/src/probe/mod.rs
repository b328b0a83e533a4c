//! Checks that a layer keeps Tower's contract.
//!
//! Use it for every layer of your own, as this crate does for each of its: [`check`] puts the layer on an upstream whose
//! clones are not ready until they are asked, and drives it.
//!
//! What is checked: a service is called only when it was polled ready, also after it was cloned; calls at the same time do
//! not stop each other; a future or a body that is dropped leaves nothing behind; readiness that is never used is given
//! back; an upstream that is never ready again does not hang the call; nothing is polled in a spin; a good answer and a final
//! failure are passed on byte for byte.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::probe;
//! use tower::layer::util::Identity;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
//! assert_eq!(probe::check(Identity::new()).await, []);
//! # });
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! # Pitfalls
//!
//! The layer meets an upstream that answers well, hangs, answers 400 or is never ready. Set its limits so that a hang of 50 ms
//! is nothing to it.

mod check;
mod scenario;
mod service;
mod violation;

pub use check::check;
pub use service::Probe;
pub use violation::{Rule, Violation};
