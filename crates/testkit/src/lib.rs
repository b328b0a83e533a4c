//! A provider that fails on purpose, for tests.
//!
//! Use it to test what your bot or pipeline does when the API under it is down.
//!
//! | part | what it is |
//! |---|---|
//! | [`Reply`], [`Fault`] | one description of an answer, and of its faults |
//! | [`Provider`] | answers in process, for virtual time (`#[tokio::test(start_paused = true)]`) |
//! | [`Server`] | answers on a loopback socket, for the real clock; closes and resets connections |
//! | [`Incident`] | an outage, minute by minute, from a JSON file; two real outages are built in |
//! | [`Scenario`] | plays an incident against any client and returns its metrics |
//! | [`probe`] | tests that a layer keeps the contract of Tower |
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Provider, Reply, WORDS};
//! use http_body_util::BodyExt;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The first attempt is answered by a 503, the second by a whole answer.
//! let provider = Provider::new("primary").replies([Reply::status(503)]);
//! let request = || http::Request::post("http://primary/v1/chat/completions").body(r#"{"model":"m"}"#.into());
//!
//! assert_eq!(provider.clone().oneshot(request()?).await?.status(), 503);
//! let answer = provider.clone().oneshot(request()?).await?.into_body().collect().await?.to_bytes();
//! assert!(std::str::from_utf8(&answer)?.contains(WORDS));
//! assert_eq!(provider.count(), 2);
//! # Ok(()) }
//! ```
//!
//! # Pitfalls
//!
//! Do not pause the clock where a real socket is used: the clock advances while bytes are in transit. Use [`Provider`] with a
//! paused clock and [`Server`] with the real clock.

pub mod incident;
pub mod probe;
pub mod provider;
pub mod reply;
pub mod scenario;
pub mod server;
mod sync;

pub use incident::{Incident, IncidentError};
pub use probe::Probe;
pub use provider::{Capacity, Hosts, Provider, ReceivedAttempt, ReceivedHeaders, Strict};
pub use reply::{Fault, Reply, WORDS};
pub use scenario::{Metrics, Scenario};
pub use server::{IdleFault, Server};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
