//! [`check`] tests that a layer keeps the contract of Tower.
//!
//! Use it for each layer of your own, as evenkeel does for its layers. The layer wraps an upstream whose clones are not ready
//! until they are polled.
//!
//! These rules are tested: a service is called only after it was polled ready, also if it was cloned; concurrent calls do not
//! block each other; a dropped future or body leaves no attempt in progress; readiness that is not used is released; a call does
//! not hang if the upstream is never ready again; the upstream is not polled in a loop; a whole answer and a final failure are
//! passed on byte for byte.
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
//! The upstream answers, hangs, answers 400, or is never ready. Set the limits of the layer so that it waits for more than 50 ms.

mod cases;
mod check;
mod service;
mod violation;

pub use check::check;
pub use service::Probe;
pub use violation::{Rule, Violation};
