//! A [`Scenario`] plays an incident against any client and returns its metrics.
//!
//! A client is any Tower service from [`Request`](evenkeel::Request) to a response with a body of bytes: a plain transport
//! ([`tower::service_fn`] over reqwest), a loop of retries, a stack of layers. All clients of a scenario make the same calls at
//! the same times. Each has a [`Harness`] of its own, so that the load of one client does not affect another.
//!
//! # Defaults
//!
//! Seed 0, 60 calls a minute as a Poisson process, scale 1, streamed answers. A call is late after 30 s and hung after 120 s.
//! Calls have no tools; if the [incident](crate::Incident::tools) has unavailable tools, every second call has them.
//!
//! # Example
//!
//! ```
//! use evenkeel_testkit::{Scenario, Incident};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
//! let outage = r#"{"name": "short", "phases_min": [
//!     {"from": 0, "to": 1, "provider": "healthy"},
//!     {"from": 1, "to": 2, "provider": "down"},
//!     {"from": 2, "to": 3, "provider": "healthy"}]}"#;
//! let scenario = Scenario::new(Incident::parse(outage).unwrap()).seed(1);
//! let harness = scenario.harness();
//! // A client without retries or fallbacks: the primary itself.
//! let metrics = scenario.play("plain", &harness, harness.primary().clone()).await;
//! assert!(metrics.error + metrics.hung > 30);
//! assert_eq!(metrics.attempts_primary, metrics.calls);
//! # });
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Each request has the number of its call in the header `x-scenario-call`, so that a provider knows the call of an attempt.
//!
//! To use sockets, put both providers on a [`Server`](crate::Server) each, and set the URL of the primary's as
//! [`base_url`](Harness::base_url). A refused connection does not reach a server: the client
//! [counts](crate::Provider::note_refused) it.
//!
//! For code of another shape, such as the router of a bot: [`each_call`](Scenario::each_call).
//!
//! # Metrics
//!
//! See [`Metrics`]. All times are in the time of the incident at every scale.
//!
//! # Pitfalls
//!
//! A scenario is repeatable only in virtual time: in a current-thread runtime whose clock is paused from its start.

mod arrivals;
mod call;
mod each_call;
mod harness;
mod metrics;
mod play;
mod policy;
mod received_answer;
mod recording;
mod series;

pub use each_call::PlayedCall;
pub use harness::Harness;
pub use metrics::{Metrics, Report, ToolMetrics};
pub use policy::{Arrivals, Progress, Scenario};
pub use received_answer::CallResult;
pub use series::{Point, Series};
