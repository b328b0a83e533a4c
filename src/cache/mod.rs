//! Stored answers: for an outage, in place of a call, and one attempt for equal calls in flight.
//!
//! [`Cache`] stands over the ladder. It stores the whole, successful answers of the first target as they pass, and gives
//! them in two ways. [`Fallback::stored`](crate::fallback::Fallback::stored) is a step of the ladder: when the targets above it
//! have failed, the last good answer to the same request is better than an apology. [`CachePolicy::serve_fresh_for`] gives it in
//! place of a call, for questions whose answer is the same for a while. And [`CachePolicy::coalesce`] lets equal calls
//! share one attempt: the thousand customers who ask the same at nine o'clock cost one.
//!
//! # What is the same request
//!
//! One that cannot have another answer, by the [`Key`]: address, dialect, model, messages and all parameters. The order
//! of fields and white space change nothing, nor does what says how the answer comes, or for whom it is billed: `stream`,
//! `stream_options`, `user`, `metadata`, `labels`, `safety_identifier`, `prompt_cache_key`, `prompt_cache_retention`,
//! `service_tier`, `keep_alive`. Of the headers `anthropic-version`, `anthropic-beta` and `openai-beta` count, and those
//! of [`CachePolicy::vary`].
//!
//! **No tenant is given another's answer.** All that speaks for the caller is in the key: its credential, organisation
//! and cookies, wherever they travel, and every header that speaks of a person or an account (see
//! [`identity`](crate::identity)). A [`Tenant`] in the request's extensions takes their place: set it where many
//! customers share a credential, and where a credential changes with every call.
//!
//! # What is stored
//!
//! Answers that were read to their end and ended of themselves (not at a limit of tokens, nor by a filter), from the
//! first target: none that was made here, and none of a lesser model. Answers that call tools are not, unless
//! [`CachePolicy::store_tool_calls`] says so; nor what depends on state at the provider (`conversation`, `container`,
//! `background`). A caller who sends `cache-control: no-store` is left alone by all of this; `no-cache` asks anew, and
//! has the answer stored.
//!
//! An answer is given in the form that is asked, as JSON or as a stream. In the form in which it came it is given byte
//! for byte. Into another it is put where it is text and nothing else, with its model and its tokens; reasoning, tools,
//! citations, several choices are given in their own form alone. It carries its [`Hit`] in the extensions of its response,
//! the headers `age`, `evenkeel-served-by: stored` and `evenkeel-attempts`, and no [`UsageHandle`](crate::dialect::UsageHandle): it cost
//! nothing.
//!
//! # Equal calls in flight
//!
//! Calls with the same key that ask for the same form share one attempt at everything below, retries and fallbacks too, and
//! its failure. Each has the answer as it comes, at its own pace, by its own deadline. Nobody leads: the attempt goes on
//! as long as one of them waits, whoever goes away. A call with more than twice the time that is left to the attempt
//! begins one of its own, and later ones join that; so does an interactive call where the attempt is a batch call's.
//!
//! A call whose time is over before the shared attempt has an answer is answered by its own ladder, as far as that needs
//! nobody else: a stored answer, a canned reply. Calls that wish for another commit point or continuation share no attempt,
//! and those that bring fallbacks of their own share none at all.
//!
//! # Defaults
//!
//! Nothing is stored without a policy; see [`CachePolicy`] and [`Memory`]. At most 4 096 attempts are shared at a time,
//! and of each the last 4 MiB are kept for those who read slowly.
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
//! - The time of day in a prompt makes every request a new one.
//! - A credential that is made anew for every call (a signature, a token of an hour) is a new tenant each time: name the
//!   [`Tenant`].
//! - A provider's own `cache-control` is not read: nearly all forbid to store anything.
//! - Prompts are not stored, answers are: choose a [`Store`] that may hold them.
//! - A shared attempt's failure is every caller's failure, and its attempt log is in the first one's answer alone.
//! - Only calls of one runtime share an attempt: its timers and connections belong to the runtime that began it.
//! - The age of an answer is measured by tokio's clock from the time of day at the first call; one that another machine
//!   stored is as old as the two clocks agree.

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
pub use lookup::Hit;
pub use policy::CachePolicy;
pub use service::{Cache, CacheLayer};
#[cfg(feature = "cache")]
pub use store::Memory;
pub use store::{Found, Store};
