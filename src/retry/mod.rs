//! Sends the same request to the same route again, where that can help, and only as often as the provider can bear.
//!
//! Use it for failures that pass by themselves: a 503, a connection that was refused, a rate limit with a short wait. It
//! is inside the ladder (which asks another target) and outside the breaker, whose refusals it never retries.
//!
//! | | |
//! |---|---|
//! | retried | unavailable, unreachable, rate limited (after the wait that was asked for), truncated, empty and malformed answers before the commit point; a connection that broke after sending once, as it may be billed |
//! | never retried | timeouts (a silent target stays silent), refusals of our own breaker or limits, exhausted quotas, everything permanent, what the breaker, open by now, would refuse after the wait, what the provider forbids by `x-should-retry: false`, a body that can be sent only once |
//! | the wait | exponential with full jitter, 250 ms to 4 s; a hint of the provider is a floor, heeded up to 120 s; never below 50 ms |
//! | the bound | 2 retries a call; of all calls of a route 20 % extra, one for each answer, and 10 in reserve ([`Budget`]); nothing that cannot be done before the deadline |
//!
//! A call that changes or costs something (a batch, a file, a picture, a turn of a stored conversation, an unknown path with
//! an unsafe method: see [`Operation`](crate::dialect::Operation)) is sent again only where the provider has done nothing: it
//! was not reached, it limited the rate, or it turned the request away (409, 421, 425, 498, 503, 529). After all else the
//! retry stops with [`StopReason::Unsafe`](crate::telemetry::StopReason::Unsafe), unless the request has an `idempotency-key`: the
//! caller's, or that of a target which [knows repetitions](crate::fallback::Target::idempotent).
//!
//! Where the fallback has equal targets, another of them is asked at once, after any failure it may not have: see
//! [`balance`](crate::balance).
//!
//! What the caller gets at the end is the last attempt's own result, byte for byte, or its own error, never a wrapper,
//! and never our own refusal where the provider has said something before. The
//! [`AttemptLog`](crate::context::AttemptLog) in it tells all attempts.
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
//! `AttemptStarted` and `AttemptEnded` for each attempt, also one that the caller cancelled; `RetryWaiting` before each
//! wait; `RetryStopped` where an outcome would allow a retry and something else does not.
//!
//! # Pitfalls
//!
//! - Retries inside retries multiply: turn those of the client underneath off.
//! - What fails after the commit point is not retried: the caller has a part of the answer already.
//! - Without a deadline in the call, a rate limit is waited for up to 120 s.
//! - Budgets are shared by all clones of one layer, and by no other: build one layer, or share its
//!   [`budgets`](RetryLayer::budgets).

mod backoff;
#[cfg(feature = "backoff")]
mod backoff_crate;
mod context;
mod decide;
mod in_flight;
mod policy;
mod record;
mod service;
mod shared;

#[cfg(feature = "backoff")]
pub use backoff_crate::{BackoffWaits, from_backoff};
pub use policy::RetryPolicy;
pub use service::{Retry, RetryLayer};

pub use crate::budget::{Budget, Budgets};
