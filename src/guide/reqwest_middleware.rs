//! With reqwest-middleware: one `with`.
//!
//! ```no_run
//! use evenkeel::{Client, adapter::reqwest_middleware::EvenkeelMiddleware, fallback::Fallback};
//! use reqwest_middleware::ClientBuilder;
//!
//! # async fn run(key: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let evenkeel = EvenkeelMiddleware::new(
//!     Client::builder().fallback(Fallback::canned("We are very busy. Please write to us.")),
//! )?;
//! let http = reqwest::Client::builder().retry(reqwest::retry::never()).build()?;
//! let client = ClientBuilder::new(http)
//!     // Here: what is to happen once for a call, such as a span.
//!     .with(evenkeel)
//!     // Here: what is to happen for every attempt, such as a signature.
//!     .build();
//! let answer = client
//!     .post("https://api.openai.com/v1/chat/completions")
//!     .bearer_auth(key)
//!     .body(r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Where is my parcel?"}]}"#)
//!     .send()
//!     .await?;
//! # drop(answer); Ok(())
//! # }
//! ```
//!
//! # Settings of one call
//!
//! Put [`CallOptions`](crate::CallOptions), or a single value such as a [`Deadline`](crate::context::Deadline), into the extensions
//! of the request; those for all requests of a client into its `with_init`:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use evenkeel::CallOptions;
//! # async fn run(client: reqwest_middleware::ClientWithMiddleware) -> reqwest_middleware::Result<()> {
//! let options = CallOptions::new().deadline(Duration::from_secs(8)).fallback_models(["gpt-4o-mini"]);
//! let answer = client
//!     .post("https://api.openai.com/v1/chat/completions")
//!     .with_extension(options)
//!     .send()
//!     .await?;
//! # drop(answer); Ok(()) }
//! ```
//!
//! # Handles
//!
//! [`EvenkeelMiddleware::client`](crate::adapter::reqwest_middleware::EvenkeelMiddleware::client) has the breakers, the limits and
//! the availability of the routes that its calls use. Keep a clone before the middleware moves into its client.
//!
//! # Results
//!
//! The provider's response, also for a final error status. A call without an answer is `Error::Middleware` with evenkeel's error
//! inside:
//!
//! ```
//! # use reqwest_middleware::Error;
//! fn is_timeout(error: &Error) -> bool {
//!     match error {
//!         Error::Middleware(inner) => {
//!             inner.downcast_ref::<evenkeel::Error>().is_some_and(evenkeel::Error::is_timeout)
//!         }
//!         Error::Reqwest(error) => error.is_timeout(),
//!     }
//! }
//! # let _ = is_timeout;
//! ```
//!
//! # Pitfalls
//!
//! * **Double retries.** Remove `reqwest-retry`. Added before evenkeel, it repeats whole calls, fallbacks included; added after,
//!   it repeats every attempt, unseen by the breaker, and hides whether the last error was a timeout.
//! * **Refusals.** A caller that treats any transport error as transient retries at once when a breaker refuses.
//!   [`refusals_as_503`](crate::adapter::reqwest_middleware::EvenkeelMiddleware::refusals_as_503) answers with a 503 and
//!   `retry-after` instead.
//! * **Order.** A middleware that answers by itself (a cache) belongs before evenkeel, else its answers are classified as the
//!   provider's.
//! * **Timeouts, redirects, bodies that stream**: as with [reqwest](super::reqwest).
//! * **Sync.** A middleware after evenkeel may hold any value: it runs in the call itself, not in another task.
