//! With reqwest: build the request as always, and let evenkeel execute it.
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
//! // For every call: `evenkeel.execute(request.build()?)` instead of `request.send()`.
//! let request = http
//!     .post("https://api.openai.com/v1/chat/completions")
//!     .bearer_auth(key)
//!     .body(r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Where is my parcel?"}]}"#);
//! let mut answer = evenkeel.execute(request.build()?).await?;
//! while let Some(bytes) = answer.chunk().await? {
//!     // An error here says that the answer is not whole.
//!     # drop(bytes);
//! }
//! # Ok(()) }
//! ```
//!
//! [`ClientBuilder::build`](crate::ClientBuilder::build) makes a reqwest client with these three settings by itself.
//!
//! # What comes back
//!
//! A `reqwest::Response`, with the status, headers and bytes the provider sent; a final error status is `Ok`, as in
//! reqwest. `Err` is for calls without an answer: ask the [`Error`](crate::Error) with `is_timeout()`, `is_connect()`,
//! `is_refused()`, or for its [outcome](crate::Error::outcome); its source is reqwest's own error. The
//! [`AttemptLog`](crate::context::AttemptLog) is in `response.extensions()`. A body that fails is a `reqwest::Error` with ours as
//! its source.
//!
//! # Pitfalls
//!
//! * **Double retries.** reqwest asks again by itself, up to twice, when a server refuses a stream of HTTP/2:
//!   `.retry(reqwest::retry::never())` switches it off, so that every attempt is ours and is counted.
//! * **Timeouts.** `ClientBuilder::timeout` spans the body and kills long streams; `read_timeout` is re-armed by
//!   comments, so that it misses a stall. Leave both unset. `connect_timeout` is evenkeel's connect limit, and
//!   unbounded where you do not set it. `RequestBuilder::timeout` is taken for the call's deadline, and ends the attempt
//!   under it with its body.
//! * **Kept connections.** One that is dead is made up for, and other calls need not find out (see
//!   [`Reconnect`](crate::adapter::Reconnect)). [`Reqwest::builder`](crate::adapter::Reqwest::builder) has the settings of our
//!   own clients, for one of yours. One whose `pool_idle_timeout` is longer than that of the load balancers on the way
//!   meets more dead ones.
//! * **HTTP/2.** It is there where your reqwest has its feature `http2`. Turn on evenkeel's as well: it pings, so that a dead
//!   connection is not taken for a silent provider.
//! * **Redirects.** A followed redirect is an attempt nobody judges; an API needs none.
//! * **Bodies.** One that is known in full (`body`, `json`) is sent again at no cost. One that streams (`wrap_stream`,
//!   `multipart`) is sent once: no retry, no other target; a canned reply still stands below.
//! * **Compression.** Without reqwest's `gzip` feature a compressed answer is passed through as it is, unread: it counts
//!   as a success from its head on.
//! * **Sync.** A transport of your own in place of reqwest has to be `Clone + Send + Sync + 'static`, and its
//!   body too: wrap one that is only `Send` in a [`SyncWrapper`](https://docs.rs/sync_wrapper).
