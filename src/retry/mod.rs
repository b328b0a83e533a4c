//! Sends the same request to the same route again, if that can help and the retry budget allows it.
//!
//! Use it for transient failures: a 503, a refused connection, a rate limit with a short wait. It is inside the fallbacks (which
//! try another target) and outside the breaker, whose refusals it never retries.
//!
//! | | |
//! |---|---|
//! | retried | unavailable, unreachable, rate limited (after the wait that the provider named), truncated, empty and malformed answers before the commit point; once, a connection that broke after sending, as the attempt may be billed |
//! | never retried | timeouts (a silent target stays silent), refusals of the client's own breaker or limits, exhausted quotas, everything permanent, a retry that the breaker, open by now, would refuse after the wait, an answer with `x-should-retry: false`, a body that can be sent only once |
//! | the wait | exponential with full jitter, 250 ms to 4 s; a hint of the provider is a floor, applied up to 120 s; never below 50 ms |
//! | the bound | 2 retries per call; per route 20 % extra attempts, one for each answer, and 10 in reserve ([`Budget`]); no retry without enough time left before the deadline |
//!
//! A call with side effects or costs (a batch, a file, a picture, a turn of a stored conversation, an unknown path with an unsafe
//! method: see [`Operation`](crate::dialect::Operation)) is retried only if the provider has not processed it: it was not
//! reached, it limited the rate, or it rejected the request without processing it (409, 421, 425, 498, 503, 529). After any other
//! outcome the retry stops with [`StopReason::Unsafe`](crate::telemetry::StopReason::Unsafe), unless the request has an
//! `idempotency-key`: the caller's, or that of a target which [detects repetitions](crate::fallback::Target::idempotent).
//!
//! Where the fallback has equal targets, another one is tried at once, after any failure that it may not have: see
//! [`balance`](crate::balance).
//!
//! The caller gets the result of the last attempt, byte for byte, or its own error, never a wrapper, and never the client's own
//! refusal if the provider has answered before. The [`AttemptLog`](crate::context::AttemptLog) in it lists all attempts.
//!
//! # Example
//!
//! ```
//! use evenkeel::{Body, Error, Request, Response, outcome::{Outcome, Verdict}, retry::RetryPolicy};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let sent = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
//! let count = sent.clone();
//! let upstream = service_fn(move |_: Request| {
//!     let nth = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
//!     async move {
//!         match nth {
//!             0 => Err(Error::new(Outcome::Unreachable)),
//!             _ => Ok(Response::new(Body::from("hello"))),
//!         }
//!     }
//! });
//! let service = ServiceBuilder::new().layer(RetryPolicy::new().retries(3).build()?).service(upstream);
//!
//! let response = service.oneshot(Request::default()).await?;
//! assert_eq!(response.body().as_bytes(), Some(&b"hello"[..]));
//! assert_eq!(sent.load(std::sync::atomic::Ordering::Relaxed), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Events
//!
//! `AttemptStarted` and `AttemptEnded` for each attempt, also one that the caller cancelled; `RetryWaiting` before each wait;
//! `RetryStopped` if the outcome would allow a retry but something else prevents it.
//!
//! # Pitfalls
//!
//! - Nested retries multiply: turn off those of the inner client.
//! - A failure after the commit point is not retried: the caller already has a part of the answer.
//! - Without a deadline, a call waits up to 120 s after a rate limit.
//! - Budgets are shared by all clones of one layer, and by no other layer: build one layer, or share its
//!   [`budgets`](RetryLayer::budgets).

mod backoff;
#[cfg(feature = "backoff")]
mod backoff_crate;
mod context;
mod decide;
mod in_flight;
mod next_attempt;
mod policy;
mod record;
mod service;
mod shared;

#[cfg(feature = "backoff")]
pub use backoff_crate::{BackoffWaits, from_backoff};
pub use policy::RetryPolicy;
pub use service::{Retry, RetryLayer};

pub use crate::budget::{Budget, Budgets};
