//! Limits on time: of a call, of an attempt, and of the silence in a body.
//!
//! Use [`DeadlinePolicy`] outermost, so that attempts, waits and fallbacks share one limit, and [`TimeoutPolicy`] around
//! each attempt, inside retries, breaker and limits: its clock starts when the attempt does, after every queue.
//!
//! | limit | default | counts | when it passes |
//! |---|---|---|---|
//! | deadline | 30 s | the whole call, to the first content of a stream, else to the whole answer | an error, or the answer of a fallback that needs no time |
//! | connect | the transport's | | unreachable |
//! | attempt | 20 s | an answer that is not streamed | the attempt is dropped; another target, not the same |
//! | first event | 20 s | a stream, to its first event with content | the same |
//! | idle | 15 s | the provider's silence in a body, between two events with content | an error in the body |
//! | whole stream | none | a stream, from the start of its attempt | an error in the body |
//! | slow stream | none | events with content a minute | the breaker counts a slow call; the stream goes on |
//!
//! The limits of an attempt and of its first event, where they are not set, give way. A deadline of the profile that is
//! shorter bounds them. At the last target of a ladder that can be asked they are all the time that is left: nobody else
//! answers, so a late answer is worth more than none. One that was set holds there too.
//!
//! Data goes before the timer: what has arrived is never thrown away for a clock. A connection that is closed within the last
//! 5 % of an attempt's limit, though, was silent for all of it: it counts as timed out, and is not asked again. Comments, pings and role-only chunks
//! are not content and end no silence; on a path of an unknown dialect every byte is content. Only the time during which
//! the reader waits for the provider is silence: a reader that is slow itself is never timed out for it.
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
//! `TimedOut` with the limit and its length, for each limit that passes, those of bodies too; nothing where the caller
//! goes away. `ConnectionLost` where the transport found a kept connection dead. `StreamSlow` at the end of a stream that trickled.
//!
//! # Pitfalls
//!
//! - An attempt with less time left than its own limit has what is left. It then fails as timed out by the deadline, unless
//!   it had nine tenths of its limit: then that is what it reached.
//! - An attempt that has waited in a queue until less than a second is left (or a tenth of what the call has) is not sent.
//! - A caller's [`Deadline`](crate::context::Deadline) in the request's extensions, or in the header `evenkeel-deadline-ms`,
//!   holds as it is, also one later than the policy's. One that has passed already leaves time for stored and canned answers
//!   only: nothing is sent, and no breaker hears of it.
//! - A limit that passes in silence on a kept connection of HTTP/1 fails as [`ConnectionLost`](crate::outcome::Outcome::ConnectionLost), once
//!   a minute for each host: it may be retried, and no breaker counts it. The transport has to report its connections: see
//!   [`Reconnect`](crate::adapter::Reconnect).
//! - The deadline ends with the first content of a stream: how long the rest may take is up to `idle` and `whole_stream`.
//! - Without a layer inside that collects answers (as the client has), the attempt ends with the head of the answer; its
//!   body is then bounded by `idle`.

mod deadline;
mod limits;
mod line;
mod policy;
mod report;
mod service;
#[cfg(test)]
mod tests;
mod timed;

pub use deadline::{DeadlineFuture, DeadlineLayer, DeadlineService};
pub use policy::{DeadlinePolicy, TimeoutPolicy};
pub use service::{Timeout, TimeoutFuture, TimeoutLayer};

pub use crate::time::AnswerTimes;
