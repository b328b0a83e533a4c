//! With rig: evenkeel in the reqwest-middleware client that rig takes.
//!
//! ```toml
//! rig = { version = "0.44", features = ["reqwest-middleware"] }
//! reqwest-middleware = "0.5"
//! evenkeel = { version = "0.1", features = ["reqwest-middleware"] }
//! ```
//!
//! ```text
//! use evenkeel::{Client, adapter::reqwest_middleware::EvenkeelMiddleware, fallback::Fallback};
//! use rig::{providers::openai::OpenAIConfig, rig_reqwest::ReqwestMiddlewareClient};
//!
//! let evenkeel = EvenkeelMiddleware::new(
//!     Client::builder().fallback(Fallback::canned("We are very busy. Please write to us.")),
//! )?
//! .refusals_as_503();
//! let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(evenkeel).build();
//! let openai = OpenAIConfig::new(key).connect(ReqwestMiddlewareClient::from(http));
//! let answer = openai.chat("gpt-4o-mini").call("Where is my parcel?").await?;
//! ```
//!
//! rig 0.44 to 0.46 take the client like this; 0.46 needs Rust 1.97. The example is compiled and run in `tests/clients`.
//!
//! # Settings of one call
//!
//! By a [scope](crate::call_options#scopes). rig sends the request of a stream when the stream is read, so the stream belongs into
//! the scope:
//!
//! ```text
//! let options = CallOptions::new().deadline(Duration::from_secs(8)).fallback_models(["gpt-4o-mini"]);
//! let answer = options.scope(model.call("Where is my parcel?")).await?;
//!
//! let mut stream = options.scope(model.stream("Where is my parcel?")?);
//! while let Some(item) = stream.next().await { … }
//! let answer = stream.into_inner().finish().await?;
//! ```
//!
//! # Results
//!
//! A final error status is `ProviderError::ProviderResponse` with its status, headers and body. A call without an answer is
//! `ProviderError::Http` with evenkeel's error among its sources. A stream that breaks ends with an error and is not sent again.
//!
//! # Pitfalls
//!
//! * **Double retries.** rig sends a request once, but `ProviderError::is_retryable()` is true for every error of the transport,
//!   including evenkeel's refusals. With
//!   [`refusals_as_503`](crate::adapter::reqwest_middleware::EvenkeelMiddleware::refusals_as_503) they come with a `retry-after`
//!   in `provider_response_headers()`; wait for that time, or do not retry at all, since evenkeel has.
//! * **The API.** For OpenAI rig's `completion(…)` uses the responses API and `chat(…)` chat completions. A fallback target has
//!   to use the same one, and most providers support the latter.
//! * **Timeouts.** rig ends a stream after 300 s of silence, and comments count as activity. evenkeel's idle timeout is shorter,
//!   and they do not.
//! * **Streams** need status 200 and `text/event-stream`: a canned reply has both.
//! * **TLS.** rig's features select that of the same `reqwest`.
