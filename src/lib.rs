//! Keeps a business on an even keel while the AI API it depends on goes under: Tower layers around the calls to it, with
//! timeouts, retries, a circuit breaker and a ladder of fallbacks.
//!
//! What it promises:
//!
//! 1. The caller has a usable answer, or a clear error, before **one deadline**: attempts, waits and fallbacks share it.
//! 2. A failure is known for what it is: **one vocabulary** of [outcomes](outcome::Outcome), read from status, headers,
//!    body and the whole stream.
//! 3. A struggling provider is never hit harder: a **budget** caps extra attempts, a breaker stops them, recovery is a
//!    **ramp**.
//! 4. The answer degrades **in steps the business chose**: another model, another provider, a stored answer, a canned reply.
//! 5. It is **one line** in what people already use: reqwest, reqwest-middleware, async-openai, rig, any Tower stack.
//! 6. What happened is always told: every answer carries its [attempt log](context::AttemptLog), every step is an
//!    [event](telemetry::Event).
//!
//! Begin with [`Client`]:
//!
//! ```
//! use evenkeel::{Client, Profile, fallback::{Fallback, Target}};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let client = Client::builder()
//!     .profile(Profile::interactive())
//!     .fallback(Fallback::target(
//!         Target::new("https://api.mistral.ai/v1").bearer("its key").model("mistral-small-latest"),
//!     ))
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .build()?;
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! # The map
//!
//! One call goes through the layers in this order; each is a module, usable alone:
//!
//! | | layer | what it decides |
//! |---|---|---|
//! | | [`identity`] | who calls, and what goes along to another origin |
//! | 1 | [`telemetry`] | opens the span of the call, starts its attempt log; another span for each attempt, over the breaker |
//! | 2 | [`timeout`]: the deadline | by when everything below has ended |
//! | 3 | [`cache`] | whether the answer is there, or on its way to another |
//! | 4 | [`fallback`] | who is asked next, and what is answered when nobody is left |
//! | 5 | [`hedge`] | whether a call that is late is sent a second time |
//! | 6 | [`retry`] | whether the same is asked again, and after what wait |
//! | 7 | [`balance`] | which of several equal targets this attempt goes to |
//! | 8 | [`breaker`] | whether the route is asked at all |
//! | 9 | [`limit`] | whether there is room for it now, and who is next |
//! | 10 | [`timeout`]: the attempt | how long one attempt and its silences may last |
//! | 11 | [`classify`] | what the answer came to, and when it is handed on |
//! | | [`adapter`] | sends it |
//!
//! Beside them: [`outcome`] is the vocabulary of what can come of an attempt, [`context`] holds the values of one call,
//! [`target`] is where an attempt goes, [`dialect`] reads and writes the languages of the APIs, [`stream`] watches bodies to
//! their end, [`upstream`] has the types that all layers share. [`guide`] has a page for each client that people use, and tells
//! [an outage, step by step](guide::outage). Defaults and their reasons: [`Profile`]. The crate
//! [`evenkeel-testkit`](https://docs.rs/evenkeel-testkit) has a provider that fails on purpose, for your own tests.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `cache` | yes | [`cache::Memory`]: stored answers in this process. Without it the cache takes a store of yours |
//! | `reqwest` | yes | [`adapter`]: `Client::execute`, `Service<reqwest::Request>`. TLS comes from your own `reqwest` |
//! | `http2` | | HTTP/2 in the reqwest client of ours, with pings that find a dead connection |
//! | `reqwest-middleware` | | the stack as a `Middleware` |
//! | `async-openai` | | the stack as the HTTP service of an async-openai client |
//! | `backoff` | | schedules of the unmaintained `backoff` crate (RUSTSEC-2025-0012), for teams that have them |

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "reqwest")]
pub mod adapter;
mod attempt_log;
mod availability;
pub mod balance;
pub mod breaker;
mod budget;
pub mod cache;
mod circuit_state;
pub mod classify;
mod client;
pub mod context;
pub mod dialect;
mod error;
pub mod fallback;
pub mod guide;
mod hash;
pub mod hedge;
pub mod identity;
mod latency;
pub mod limit;
pub mod outcome;
mod profile;
pub mod retry;
mod route;
mod route_state;
mod stack;
pub mod stream;
mod sync;
pub mod target;
pub mod telemetry;
mod time;
pub mod timeout;
pub mod upstream;

pub use availability::Availability;
pub use client::{Client, ClientBuilder};
pub use error::{BoxError, ConfigError, Error};
pub use profile::Profile;
pub use stream::Body;
pub use upstream::{Request, Response, ResponseFuture, Upstream};

/// The README's examples, compiled.
#[cfg(all(doctest, feature = "async-openai", feature = "reqwest-middleware"))]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
