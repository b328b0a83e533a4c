//! Tower layers around calls to AI APIs that keep an application working during provider outages: timeouts, retries, a circuit
//! breaker and fallbacks.
//!
//! Guarantees:
//!
//! 1. The caller has a usable answer, or a clear error, before **one deadline**: attempts, waits and fallbacks share it.
//! 2. Failures are classified into **one vocabulary** of [outcomes](outcome::Outcome), read from status, headers, body and the
//!    whole stream.
//! 3. A struggling provider never gets more load: a **budget** caps extra attempts, a breaker stops them, recovery is a **ramp**.
//! 4. The answer degrades **in the steps you configure**: another model, another provider, a stored answer, a canned reply.
//! 5. It is **one line** in existing clients: reqwest, reqwest-middleware, async-openai, rig, any Tower stack.
//! 6. Every step is reported: every answer has its [attempt log](context::AttemptLog), every step is an
//!    [event](telemetry::Event).
//!
//! Start with [`Client`]:
//!
//! ```no_run
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
//! # Layers
//!
//! A call goes through the layers in this order; each is a module, usable alone:
//!
//! | | layer | what it decides |
//! |---|---|---|
//! | | [`identity`] | who the caller is, and what is forwarded to another origin |
//! | 1 | [`telemetry`] | opens the span of the call, starts its attempt log; another span for each attempt, above the breaker |
//! | 2 | [`timeout`]: the deadline | when everything below must have ended |
//! | 3 | [`cache`] | whether the answer is stored, or an equal call is in flight |
//! | 4 | [`fallback`] | where the call is sent next, and what is answered when no target is left |
//! | 5 | [`hedge`] | whether a second copy of a slow call is sent |
//! | 6 | [`retry`] | whether the same request is sent again, and after what wait |
//! | 7 | [`balance`] | which of several equal targets this attempt goes to |
//! | | [`reasoning`] | which reasoning of the conversation the target gets: none that another provider has made |
//! | 8 | [`breaker`] | whether the route lets the attempt through |
//! | 9 | [`limit`] | whether there is room for it now, and which call is next |
//! | 10 | [`timeout`]: the attempt | how long one attempt and its silences may last |
//! | 11 | [`classify`] | the outcome of the answer, and when it is handed on |
//! | | [`credentials`] | the token or the signature of a target whose credentials expire |
//! | | `chaos` | whether it fails on purpose, on a game day |
//! | | [`adapter`] | sends it |
//!
//! Besides these, [`outcome`] is the vocabulary of outcomes, [`call_options`] are the settings of one call, [`context`] holds its
//! values, [`target`] is where an attempt goes, [`dialect`] parses and writes the languages of the APIs, [`stream`] watches bodies
//! to their end, and [`upstream`] has the types that all layers share. [`guide`] has a page for each popular client, and describes [an outage, step
//! by step](guide::outage). [`rehearsal`] asks every target once, before an outage does. Defaults and their reasons: [`Profile`]. The crate
//! [`evenkeel-testkit`](https://docs.rs/evenkeel-testkit) has a provider that fails on purpose, for your own tests.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `cache` | yes | [`cache::Memory`]: stored answers in this process. Without it the cache needs a [`cache::Store`] |
//! | `reqwest` | yes | [`adapter`]: `Client::call` and `execute` with requests of reqwest, `Service<reqwest::Request>`. TLS comes from your own `reqwest` |
//! | `hyper` | with `reqwest` | [`adapter::Reconnect`], and connect errors of hyper-util are recognised |
//! | `http2` | | HTTP/2 in the built-in reqwest client, with pings that detect a dead connection |
//! | `compression` | | requests and answers in gzip, deflate, zstd and br are read like plain ones: see [`coding`] |
//! | `reqwest-middleware` | | the stack as a `Middleware` |
//! | `async-openai` | | the stack as the HTTP service of an async-openai client |
//! | `metrics` | | [`telemetry::Metrics`]: counters, gauges and histograms through the `metrics` facade |
//! | `backoff` | | schedules of the unmaintained `backoff` crate (RUSTSEC-2025-0012), for existing code |
//! | `chaos` | | `chaos`: faults on purpose, for a game day. It exists for safety: without it nothing can be injected |
//! | `serde` | | [`config`]: profile, targets, fallbacks and limits from TOML, YAML or JSON |

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod adapter;
pub mod amend;
mod attempt_log;
mod availability;
pub mod balance;
pub mod breaker;
mod budget;
pub mod cache;
mod call;
pub mod call_options;
#[cfg(feature = "chaos")]
#[cfg_attr(docsrs, doc(cfg(feature = "chaos")))]
pub mod chaos;
#[cfg(not(feature = "chaos"))]
#[path = "no_chaos.rs"]
mod chaos;
mod circuit_state;
pub mod classify;
mod client;
pub mod coding;
mod cold_start;
mod compatibility;
#[cfg(feature = "serde")]
pub mod config;
pub mod context;
pub mod credentials;
pub mod dialect;
mod error;
pub mod fallback;
mod fault_kind;
pub mod guide;
mod hash;
pub mod hedge;
pub mod identity;
mod into_call;
mod latency;
pub mod limit;
pub mod outcome;
mod profile;
mod provenance;
pub mod reasoning;
pub mod rehearsal;
mod response_ext;
pub mod retry;
mod route;
mod route_state;
mod served_by;
mod stack;
pub mod stream;
mod sync;
pub mod target;
pub mod telemetry;
mod time;
pub mod timeout;
pub mod upstream;

pub use availability::Availability;
pub use call::Call;
pub use call_options::CallOptions;
pub use client::{Client, ClientBuilder};
pub use error::{BoxError, ConfigError, Error};
pub use into_call::IntoCall;
pub use profile::Profile;
pub use rehearsal::Rehearsal;
pub use response_ext::ResponseExt;
pub use served_by::ServedBy;
pub use stream::Body;
pub use upstream::{Request, Response, ResponseFuture, Upstream};
