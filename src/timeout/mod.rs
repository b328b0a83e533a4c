//! Limits the time of a call and of an attempt, and the silence in a body.
//!
//! Use [`DeadlinePolicy`] outermost, so that attempts, waits and fallbacks share one limit, and [`TimeoutPolicy`] around each
//! attempt, inside retries, breaker and limits: its clock starts with the attempt, after every queue.
//!
//! | limit | default | counts | when it passes |
//! |---|---|---|---|
//! | deadline | 30 s | the whole call, to the first content of a stream, else to the whole answer | an error, or the answer of a fallback that needs no time |
//! | connect | the transport's | | unreachable |
//! | attempt | 20 s | an answer that is not streamed | the attempt is dropped; another target is tried, not the same one |
//! | first event | 20 s | a stream, to its first event with content | the same |
//! | idle | 15 s | the wait for the provider in a body, between two events with content | an error in the body |
//! | whole stream | none | a stream, from the start of its attempt | an error in the body |
//! | slow stream | none | events with content per minute | the breaker counts a slow call; the stream goes on |
//!
//! The default limits of an attempt and of its first event are flexible. A shorter deadline of the profile bounds them. At the
//! last available target they are extended to all the time that is left, since a late answer is worth more than none. A limit
//! that was set explicitly applies there too.
//!
//! A server with a private address, or with the dialect of Ollama, may have to load the model first. If it has not answered for
//! 5 min, its attempt has 2 min ([`TimeoutPolicy::cold_start`]) in place of the default limits, and so has a call that no other
//! target could answer.
//!
//! Data takes precedence over the timer: data that has arrived is never discarded because of a timer. But a connection that is
//! closed within the last 5 % of an attempt's limit without new content counts as timed out, and is not retried. Comments, pings
//! and role-only chunks are not content and do not reset the idle clock; on a path of an unknown dialect every byte is content.
//! The idle clock only runs while the reader waits for the provider: a slow reader never causes a timeout.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{Error, Request, Response, context::Deadline, timeout::{DeadlinePolicy, TimeoutPolicy}};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let silent = service_fn(|_: Request| std::future::pending::<Result<Response, Error>>());
//! let service = ServiceBuilder::new()
//!     .layer(DeadlinePolicy::new().build()?)
//!     .layer(TimeoutPolicy::new().attempt(Duration::from_secs(5)).build()?)
//!     .service(silent);
//!
//! let mut request = Request::default();
//! // For this call alone.
//! request.extensions_mut().insert(Deadline::within(Duration::from_secs(8)));
//! let error = service.oneshot(request).await.unwrap_err();
//! assert_eq!(error.to_string(), "timed out: the whole answer");
//! # Ok(())
//! # }
//! ```
//!
//! # Events
//!
//! `TimedOut` with the limit and its length, for each limit that passes, including those of bodies; no event if the caller drops
//! the call. `ConnectionLost` if the transport found a kept connection dead. `StreamSlow` at the end of a stream that was too
//! slow.
//!
//! # Pitfalls
//!
//! - An attempt with less time left than its own limit gets the time left. It then fails as timed out by the deadline, unless it
//!   ran for nine tenths of its limit: then as timed out by that limit.
//! - An attempt that has waited in a queue until less than a second is left (or a tenth of the time of the call) is not sent.
//! - A caller's [`Deadline`](crate::context::Deadline) in the request's extensions, or in the header `evenkeel-deadline-ms`,
//!   applies as it is, even if it is later than the policy's. A deadline that has already passed leaves time for stored and
//!   canned answers only: no request is sent, and no breaker counts the call.
//! - A limit that passes in silence on a kept connection of HTTP/1 fails as
//!   [`ConnectionLost`](crate::outcome::Outcome::ConnectionLost), once a minute for each host: it may be retried, and no breaker
//!   counts it. The transport has to report its connections: see [`Reconnect`](crate::adapter::Reconnect).
//! - The deadline ends with the first content of a stream: the rest is limited by `idle` and `stream_total`.
//! - Without an inner layer that collects answers (as the client has), the attempt ends with the head of the answer; its body is
//!   then limited by `idle`.

mod deadline;
mod deadline_policy;
mod limits;
mod line;
mod policy;
mod report;
mod service;
#[cfg(test)]
mod tests;
mod timed;

pub use deadline::{DeadlineFuture, DeadlineLayer, DeadlineService};
pub use deadline_policy::DeadlinePolicy;
pub use policy::TimeoutPolicy;
pub use service::{Timeout, TimeoutFuture, TimeoutLayer};

pub use crate::time::AnswerTimes;
