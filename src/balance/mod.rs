//! Spreads attempts over several equal targets: keys, regions or deployments of the same model.
//!
//! Use it where a fallback can be served at more than one place: [`Fallback::targets`](crate::fallback::Fallback::targets)
//! replaces `Fallback::target`. A revoked key, a failing deployment or a slow region then adds a little load to the other targets
//! and does not affect the caller. Each target has its own route, and so its own breaker, limit and budget. Targets that are
//! *not* equally good should be separate fallbacks.
//!
//! # Which target
//!
//! Two targets are picked at random, and the one with the lower cost gets the attempt, so that not all calls go to the same best
//! target. The cost of a target is its time to the first event (a slower value is adopted at once, a faster one gradually;
//! without new samples it drifts to the usual value of the fallback) times the calls under way there, until their bodies have
//! ended.
//!
//! | what happens | what follows |
//! |---|---|
//! | a failure, however fast | counts as an answer after 10 s |
//! | 3 failures in a row | ejected for 10 s, doubled up to 30 s; then one call tries it, at most one of 64 |
//! | a failure or rate limit with a wait | ejected for that wait, up to 2 min |
//! | 401, 402 | ejected for 5 s, doubled up to 60 s |
//! | an exhausted quota, or an unknown model that the target sets | ejected for 5 min, or until the quota is known to be back |
//! | the client's own breaker or limit refuses | ejected until a retry makes sense; no request was sent |
//! | the model named by the caller is unknown | not used for this model for 60 s while another target is available; then one call tries it |
//! | the request is wrong, too large, blocked or forbidden | nothing: the request is the cause |
//!
//! An ejected target is used when no other is left. A whole answer ends the ejection. The state of a target is kept separately
//! for each operation: a target that cannot create embeddings may still serve chat.
//!
//! Calls that [belong to an account](crate::fallback#which-calls-stay) go to the account of the first target, or of the one that
//! they [stick to](crate::context::AffinityKey); embeddings go to targets with the model of the first. Targets with the same host
//! and credentials are one account, and so are those that [declare it](crate::fallback::Target::account).
//!
//! # In a call
//!
//! After a failure that another target may not have, another target is tried **at once**, without a wait, each at most once: also
//! after a timeout or a rejected key, which are never retried at the same target. These attempts count as retries and are paid
//! from the budget of the target that gets them, which bounds the extra load as usual; an attempt that the client's own breaker
//! refused costs nothing. When all targets were tried, the retry waits as it does for a single target, or the call moves to the
//! next fallback.
//!
//! # Prompt caches
//!
//! The cache of a conversation is on one deployment. Calls with the same [`AffinityKey`](crate::context::AffinityKey) go to the
//! same target while it is available and has less than twice its fair share of the calls under way; then to the next one in an
//! order that depends on the key, and back when it has recovered. All processes with the same targets use the same order.
//!
//! # Defaults
//!
//! The defaults of [`BalancePolicy`]. At most 64 targets.
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
//! Without a client, with its own targets, over any service:
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
//! [`TargetEjected`](crate::telemetry::EventKind::TargetEjected), also as a warning in `tracing`. The events of an attempt and
//! the [`AttemptLog`](crate::context::AttemptLog) name its route: give targets that differ only by their keys a
//! [`label`](crate::fallback::Target::label).
//!
//! # Pitfalls
//!
//! - A fallback with several targets needs this layer, or retries, below the fallback layer: the request is rewritten for one of
//!   the targets there.
//! - On its own under a retry, the layer picks a target for each attempt, and the retry knows only one route. Under the fallback
//!   layer the retry knows all of them.
//! - Streamed and other answers are measured alike, by the time until they can be handed on. The estimate of a fallback that
//!   serves both reflects the mixture.
//! - The call that tries a target which was silent may wait for it in vain and then try another: at most one call of 64.
//! - With less than one call in two seconds, a target that has recovered is tried again after 64 calls.

mod service;

pub use service::{Balance, BalanceFuture, BalanceLayer};

pub use crate::target::group::BalancePolicy;
