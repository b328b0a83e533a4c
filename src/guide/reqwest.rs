//! With reqwest: build the request as usual, and let evenkeel execute it.
//!
//! ```no_run
//! use evenkeel::{Client, fallback::{Fallback, Target}};
//!
//! # async fn run(key: &str, other_key: &str) -> Result<(), Box<dyn std::error::Error>> {
//! // Once, for the whole program:
//! let http = reqwest::Client::builder()
//!     .connect_timeout(std::time::Duration::from_secs(5))
//!     .retry(reqwest::retry::never())
//!     .redirect(reqwest::redirect::Policy::none())
//!     .build()?;
//! let evenkeel = Client::builder()
//!     .fallback(Fallback::target(Target::new("https://api.mistral.ai/v1").bearer(other_key).model("mistral-small-latest")))
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .build_with_reqwest(http.clone())?;
//!
//! // For every call: `evenkeel.call(request).await` instead of `request.send().await`.
//! let request = http
//!     .post("https://api.openai.com/v1/chat/completions")
//!     .bearer_auth(key)
//!     .header("content-type", "application/json")
//!     .body(r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Where is my parcel?"}]}"#);
//! let mut answer = evenkeel.call(request).await?;
//! while let Some(bytes) = answer.chunk().await? {
//!     // An error here means that the answer is not whole.
//!     # drop(bytes);
//! }
//! # Ok(()) }
//! ```
//!
//! [`ClientBuilder::build`](crate::ClientBuilder::build) builds a reqwest client with these three settings by itself.
//!
//! # Settings of one call
//!
//! ```no_run
//! # use std::time::Duration;
//! # use evenkeel::{Client, context::Priority};
//! # async fn run(evenkeel: Client, request: reqwest::RequestBuilder) -> Result<(), evenkeel::Error> {
//! let answer = evenkeel
//!     .call(request)
//!     .deadline(Duration::from_secs(8))
//!     .priority(Priority::Batch)
//!     .fallback_models(["gpt-4o-mini"])
//!     .send()
//!     .await?;
//! # drop(answer); Ok(()) }
//! ```
//!
//! [`call_options`](crate::call_options) has all of them.
//!
//! # Results
//!
//! A `reqwest::Response`, with the status, headers and bytes the provider sent; a final error status is `Ok`, as in reqwest.
//! `Err` is for calls without an answer: inspect the [`Error`](crate::Error) with `is_timeout()`, `is_connect()`, `is_refused()`,
//! or its [outcome](crate::Error::outcome); its source is reqwest's own error. The [`AttemptLog`](crate::context::AttemptLog) is
//! in `response.extensions()`. A body that fails is a `reqwest::Error` with an [`Error`](crate::Error) as its source.
//!
//! # Pitfalls
//!
//! * **Double retries.** reqwest retries by itself, up to twice, when a server refuses an HTTP/2 stream:
//!   `.retry(reqwest::retry::never())` turns it off, so that evenkeel makes and counts every attempt.
//! * **Timeouts.** `ClientBuilder::timeout` spans the body and kills long streams; `read_timeout` is re-armed by comments, so
//!   that it misses a stall. Leave both unset. `connect_timeout` is evenkeel's connect timeout, and unbounded if you do not set
//!   it. `RequestBuilder::timeout` becomes the call's deadline, and ends the attempt under it with its body.
//! * **Kept connections.** A dead one is recovered from, and other calls are not affected (see
//!   [`Reconnect`](crate::adapter::Reconnect)). [`Reqwest::builder`](crate::adapter::Reqwest::builder) has evenkeel's settings,
//!   for a client of your own. A client whose `pool_idle_timeout` is longer than that of the load balancers on the way meets more
//!   dead connections.
//! * **HTTP/2.** It is available if your reqwest has its feature `http2`. Enable evenkeel's feature as well: it sends pings, so
//!   that a dead connection is not taken for a silent provider.
//! * **Redirects.** A followed redirect is an attempt that no layer classifies; an API needs none.
//! * **Bodies.** A body that is known in full (`body`, `json`, `multipart` of parts in memory) can be sent again. One that streams
//!   (`wrap_stream`, `Part::file`) is sent once: no retry, no other target, and no canned reply, as its question is not read.
//!   [`buffer_uploads`](crate::ClientBuilder::buffer_uploads) reads it up to a bound first, so that it can be sent again too.
//! * **Compression.** With evenkeel's feature `compression`, requests and answers in gzip, deflate, zstd and br are read like
//!   plain ones (see [`coding`](crate::coding)). With reqwest's own `gzip` feature and its kin, answers are decoded before evenkeel
//!   reads them. Without either, a compressed answer is passed through unread: it counts as a success from its head on.
//! * **Sync.** A custom transport in place of reqwest has to be `Clone + Send + Sync + 'static`, and its body too: wrap one that
//!   is only `Send` in a [`SyncWrapper`](https://docs.rs/sync_wrapper).
