//! A provider that fails on purpose, for your own tests and drills.
//!
//! Use it to see what your bot or pipeline does when the API under it goes under, before the API does.
//!
//! | part | what it is |
//! |---|---|
//! | [`Reply`], [`Fault`] | one description of an answer and of what goes wrong with it |
//! | [`Provider`] | acts replies out in process, for virtual time (`#[tokio::test(start_paused = true)]`) |
//! | [`Server`] | acts the same replies out on a loopback socket, for the real clock; ends connections that are kept |
//! | [`Incident`] | an outage, minute by minute, from a JSON file; two real ones are built in |
//! | [`Scenario`] | plays an incident against any client and keeps the figures |
//! | [`probe`] | checks that a layer keeps Tower's contract |
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Provider, Reply, WORDS};
//! use http_body_util::BodyExt;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The first attempt meets a 503, the second is answered.
//! let provider = Provider::new("primary").replies([Reply::status(503)]);
//! let ask = || http::Request::post("http://primary/v1/chat/completions").body(r#"{"model":"m"}"#.into());
//!
//! assert_eq!(provider.clone().oneshot(ask()?).await?.status(), 503);
//! let answer = provider.clone().oneshot(ask()?).await?.into_body().collect().await?.to_bytes();
//! assert!(std::str::from_utf8(&answer)?.contains(WORDS));
//! assert_eq!(provider.count(), 2);
//! # Ok(()) }
//! ```
//!
//! # Pitfalls
//!
//! Never pause the clock where a real socket is used: the clock jumps while bytes are under way. Use [`Provider`] with a
//! paused clock, [`Server`] with the real one.

pub mod incident;
pub mod probe;
pub mod provider;
pub mod reply;
pub mod scenario;
pub mod server;
mod sync;

pub use incident::{Incident, IncidentError};
pub use probe::Probe;
pub use provider::{Attempt, Capacity, Hosts, Provider};
pub use reply::{Fault, Reply, WORDS};
pub use scenario::{Figures, Scenario};
pub use server::{KeptFault, Server};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
