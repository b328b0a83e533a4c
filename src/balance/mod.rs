//! Spreads attempts over several equal targets: keys, regions or deployments of the same model.
//!
//! Use it where a fallback of the ladder can be served at more than one place: [`Fallback::targets`](crate::fallback::Fallback::targets)
//! takes the place of `Fallback::target`. A key that is revoked, a deployment that fails or a region that is slow then costs
//! the others a little more work, and the caller nothing. Each target has a route of its own, so a breaker, a limit and a
//! budget of its own. Targets that are *not* as good as each other are fallbacks of the ladder.
//!
//! # Which target
//!
//! Two are named by chance, and the one that costs less is asked: no crowd runs to the same best one. What a call costs at
//! a target is the time to its first event (slower than thought is believed at once, faster little by little; without
//! news it becomes what is usual in the fallback) times the calls under way there, until their bodies have ended.
//!
//! | what happens | what follows |
//! |---|---|
//! | a failure, however fast | counts as an answer after 10 s |
//! | 3 failures in a row | out for 10 s, doubled up to 30 s; then one call tries it, of 64 at most one |
//! | a failure or rate limit with a wait | out for that wait, up to 2 min |
//! | 401, 402 | out for 5 s, doubled up to 60 s |
//! | an exhausted quota, or a model of its own that is unknown | out for 5 min, or until the quota is known to be back |
//! | our own breaker or limit refuses | out until it is worth coming back; nothing was sent |
//! | the model that a caller named is unknown | not asked for it for 60 s while another is in; then one call tries it |
//! | the request is wrong, too large, blocked or forbidden | nothing: it is the request's |
//!
//! One that is out is asked when no other is left. A whole answer makes it well. What is known of a target is kept for each
//! operation apart: one that cannot make vectors may chat.
//!
//! Calls that [belong to an account](crate::fallback#which-calls-stay) go to the account of the first target, or of the one that
//! they [stick to](crate::context::AffinityKey); embeddings to those with the model of the first. Targets with the same host and
//! credentials are one account, and those that [say so](crate::fallback::Target::account).
//!
//! # In a call
//!
//! After a failure that another may not have, another is asked **at once**, without a wait, each at most once: also after a
//! timeout or a rejected key, which are never retried at the same target. These attempts count as retries and are paid from
//! the budget of the target that gets them, so that extra load is bounded there as everywhere; one that our own breaker
//! refused costs nothing. When all were asked, the retry waits as it does for a single target, or the ladder moves down.
//!
//! # Prompt caches
//!
//! The cache of a conversation lives on one deployment. Calls that carry the same [`AffinityKey`](crate::context::AffinityKey) key
//! go to the same target as long as it is in and has not twice its fair part of the calls under way; then to the next one in
//! an order that is the key's own, and back when it is well. All processes with the same targets agree on that order.
//!
//! # Defaults
//!
//! Those of [`BalancePolicy`]. At most 64 targets.
//!
//! # Example
//!
//! ```
//! use evenkeel::{Client, fallback::{Fallback, Target}};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let key = |secret: &str, label: &str| Target::same_host().bearer(secret).label(label);
//! let client = Client::builder()
//!     .primaries([key("the first key", "team-a"), key("the second key", "team-b")])
//!     .fallback(Fallback::canned("We are very busy. A colleague will write to you today."))
//!     .build()?;
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! Alone, with targets of its own, over any service:
//!
//! ```
//! use evenkeel::{Body, Error, Request, Response, balance::BalancePolicy, fallback::Target};
//! use tower::{ServiceBuilder, service_fn};
//!
//! let regions = ["https://west.example.com/v1", "https://north.example.com/v1"];
//! let service = ServiceBuilder::new()
//!     .layer(BalancePolicy::new().build(regions.map(|base| Target::new(base).bearer("its key")))?)
//!     .service(service_fn(|_: Request| async { Ok::<_, Error>(Response::new(Body::from("hello"))) }));
//! # let _ = service;
//! # Ok::<(), evenkeel::ConfigError>(())
//! ```
//!
//! # Events
//!
//! [`TargetEjected`](crate::telemetry::EventKind::TargetEjected), also as a warning in `tracing`. The events of an attempt and the
//! [`AttemptLog`](crate::context::AttemptLog) name its route: give targets that differ by their keys alone a
//! [`label`](crate::fallback::Target::label).
//!
//! # Pitfalls
//!
//! - A ladder whose fallback has several targets needs this layer, or retries, somewhere below it: the request is rewritten for
//!   one of them there.
//! - Alone under a retry it chooses anew each time, and the retry knows one route only. Under a ladder it knows them all.
//! - Answers that are streamed and such that are not are measured alike, by the time until they can be handed on. A fallback
//!   that serves both learns the mixture.
//! - The call that tries a target which was silent may wait for it in vain, then asks another: one call of 64 at most.
//! - With few calls, less than one in two seconds, a target that is well again is tried after 64 of them.

mod service;

pub use service::{Balance, BalanceFuture, BalanceLayer};

pub use crate::target::group::BalancePolicy;
