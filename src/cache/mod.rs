//! Caching: stored answers during an outage or in place of a call, and one attempt for equal calls in flight.
//!
//! [`Cache`] is a layer above the fallbacks. It stores complete, successful answers of the first target as they pass, and serves
//! them in two ways. [`Fallback::stored`](crate::fallback::Fallback::stored) is a fallback: when the targets above it have
//! failed, it serves the last good answer to the same request. [`CachePolicy::serve_fresh_for`] serves it in place of a call, for
//! questions whose answer does not change for a while. [`CachePolicy::coalesce`] lets equal calls in flight share one attempt: a
//! thousand customers with the same question at nine o'clock cost one.
//!
//! # Equal requests
//!
//! Two requests are equal if they have the same [`Key`]: address, dialect, model, messages and all parameters. The order of
//! fields and white space are ignored, and so are fields for the form of the answer or for billing: `stream`, `stream_options`,
//! `user`, `metadata`, `labels`, `safety_identifier`, `prompt_cache_key`, `prompt_cache_retention`, `service_tier`, `keep_alive`.
//! Of the headers, only `anthropic-version`, `anthropic-beta` and `openai-beta` count, and those of [`CachePolicy::vary`].
//!
//! **No tenant gets the answer of another.** Everything that identifies the caller is in the key: credential, organisation and
//! cookies, in headers or in the query, and every header that names a person or an account (see [`identity`](crate::identity)). A
//! [`Tenant`] in the request's extensions replaces them: set it if many customers share a credential, or if the credential
//! changes with every call.
//!
//! # What is stored
//!
//! Answers from the first target that were read to their end and finished normally (not at a token limit, nor by a filter). Local
//! answers and answers of fallbacks are never stored. Answers with tool calls are not stored unless
//! [`CachePolicy::store_tool_calls`] is set; nor are answers that depend on state at the provider (`conversation`, `container`,
//! `background`). A request with `cache-control: no-store` bypasses the cache; with `no-cache` it is sent anew and its answer is
//! stored.
//!
//! An answer is served in the form that the request asks for, as JSON or as a stream. In the form in which it was received, it is
//! served byte for byte. It is converted to another form only if it is nothing but text, with its model and its tokens;
//! reasoning, tools, citations and several choices are served only in their own form. A stored answer has a [`Hit`] in the
//! extensions of its response, the headers `age`, `evenkeel-served-by: stored` and `evenkeel-attempts`, and no
//! [`UsageHandle`](crate::dialect::UsageHandle), since it cost nothing.
//!
//! # Equal calls in flight
//!
//! Calls with the same key and the same form share one attempt, including retries and fallbacks, and its failure. Each call reads
//! the answer as it arrives, at its own pace, with its own deadline. No call leads: the attempt continues as long as one of them
//! waits, whichever others are dropped. A call with more than twice the time that the attempt has left begins one of its own,
//! which later calls join; so does an interactive call if the attempt belongs to a batch call.
//!
//! A call whose time is over before the shared attempt has an answer gets the local answer of its own fallbacks: a stored answer
//! or a canned reply. Calls with different settings for commit point or continuation do not share an attempt; calls that bring
//! fallbacks of their own never share one.
//!
//! # Defaults
//!
//! Nothing is stored without a policy; see [`CachePolicy`] and [`Memory`]. At most 4 096 attempts are shared at a time. For slow
//! readers, the last 4 MiB of each answer are kept.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use evenkeel::{Client, cache::CachePolicy, fallback::Fallback};
//! # use evenkeel::{Body, Error, Request, Response, Upstream};
//!
//! # fn run(transport: impl Upstream) -> Result<(), evenkeel::ConfigError> {
//! let client = Client::builder()
//!     .cache(CachePolicy::new().serve_fresh_for(Duration::from_secs(60)).coalesce(true))
//!     .fallback(Fallback::stored(Duration::from_secs(24 * 3600)))
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .build_with(transport)?;
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! # Events
//!
//! [`CacheHit`](crate::telemetry::EventKind::CacheHit), [`CacheMiss`](crate::telemetry::EventKind::CacheMiss),
//! [`Coalesced`](crate::telemetry::EventKind::Coalesced), [`CacheStored`](crate::telemetry::EventKind::CacheStored),
//! [`CacheFailed`](crate::telemetry::EventKind::CacheFailed).
//!
//! # Pitfalls
//!
//! - The time of day in a prompt makes every request different.
//! - A credential that changes with every call (a signature, a token valid for an hour) is a new tenant each time: set a
//!   [`Tenant`].
//! - A provider's `cache-control` is not read: nearly all forbid storing anything.
//! - Prompts are not stored, but answers are: choose a [`Store`] that may hold them.
//! - The failure of a shared attempt is the failure of every caller, and only the first caller's answer has its attempt log.
//! - Only calls of one runtime share an attempt: its timers and connections belong to the runtime that began it.
//! - The age of an answer is measured by tokio's clock, starting from the time of day at the first call. For an answer that
//!   another machine stored, it is only as accurate as the two clocks agree.

mod coalesce;
mod entry;
mod key;
mod lookup;
mod policy;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use entry::Entry;
pub use key::{Key, Tenant};
pub use policy::CachePolicy;
pub use service::{Cache, CacheLayer};
#[cfg(feature = "cache")]
pub use store::Memory;
pub use store::{Found, Store};

pub use crate::served_by::Hit;
