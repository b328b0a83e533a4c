//! The ladder: what is asked next when a target fails, down to a reply that cannot fail.
//!
//! A [`Ladder`] tries its rungs in order until one answers. The first rung is where the caller sent the request, or a
//! [`Target`] put in its place; below it stand other models, keys, regions or providers, and last a canned reply. Use it
//! wherever a customer waits: an outage of the provider then costs quality, step by step, in an order the business chose,
//! and never an answer.
//!
//! # Which failures move down
//!
//! Those that another target may not have: the provider is unavailable, limits the rate, is silent, cannot be reached,
//! breaks or cuts its answer; the quota, the credential or the model is gone; our own breaker refused. A request that is
//! too large goes to a rung that declares a larger context, or none. A request that is wrong everywhere, and one that
//! the provider's content filter refused, are answered as they are: the ladder does not route around a refusal.
//! When all rungs fail, the caller sees the failure of the first; the [`Journey`](crate::context::Journey) has the rest.
//!
//! # Time
//!
//! All rungs share the call's deadline. A rung keeps time back for those below it ([`Rung::reserve`]); it is cut off
//! there, whatever it does, and the next one is asked. A canned reply needs no time, so there is always an answer.
//!
//! # Defaults
//!
//! * one rung: the request as it was addressed
//! * reserve: a third of the time that is left for each target below; at most two thirds, whatever is set
//! * a rung offers everything: any context size, tools
//!
//! # Example
//!
//! ```
//! use evenkeel::ladder::{LadderPolicy, Rung, Target};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let ladder = LadderPolicy::new()
//!     .rung(Rung::target(
//!         Target::new("https://api.mistral.ai/v1")
//!             .bearer("the key of that provider")
//!             .model("mistral-small-latest"),
//!     ))
//!     .rung(Rung::canned("We are very busy. A colleague will write to you today."))
//!     .build()?;
//! # let _ = ladder; Ok(())
//! # }
//! ```
//!
//! # For one call
//!
//! [`Fallbacks`] in the extensions of a request are rungs for that call alone.
//!
//! # Credentials
//!
//! They belong to a target. Going to another host, every header that carries a credential, a cookie or an organisation
//! is removed before the target's own are put in, and a query with a key in it too: the key of one is never sent to
//! another. A credential is known by its name (`…-key`, `…-token`, `…-auth…` and the like), or by its value's being marked
//! [sensitive](http::HeaderValue::set_sensitive).
//!
//! # Events
//!
//! [`RungEntered`](crate::telemetry::Event::RungEntered), [`RungSkipped`](crate::telemetry::Event::RungSkipped). The
//! answer of any rung but the first carries the headers `evenkeel-rung` and `evenkeel-attempts`.
//!
//! # Pitfalls
//!
//! The ladder rewrites where a request goes and which model it names, not its language: a target must speak the dialect
//! of the request. A request without a known dialect (embeddings, files) is not answered by a canned reply.

mod base;
mod canned;
mod fallbacks;
mod policy;
mod rung;
mod service;
mod target;

pub use canned::Canned;
pub use fallbacks::Fallbacks;
pub use policy::LadderPolicy;
pub use rung::{Offers, Rung};
pub use service::{Ladder, LadderLayer};
pub use target::Target;
