//! Sends a second copy of a call when the first is late, and takes the first answer.
//!
//! Use it where a few answers are many times slower than the others and a user waits: the slowest of a hundred then take about
//! twice as long as usual instead of twenty times (Dean and Barroso, *The Tail at Scale*, CACM 56(2), 2013). Every copy is
//! billed, so it is off by default: [`Profile::hedge`](crate::Profile::hedge).
//!
//! The layer is inside the fallbacks and outside the retries: a copy has its own retries, permit and limits. Where a fallback has
//! equal targets, the copy goes to another one, whose retry budget pays for it; if that is used up there is no copy. A copy is
//! not a first attempt: it adds nothing to the retry budget.
//!
//! # Defaults
//!
//! | | default | why |
//! |---|---|---|
//! | [`quantile`](HedgePolicy::quantile) | 0.95 of the route's first events | one call in twenty is late by that measure, which also bounds the extra load |
//! | [`samples`](HedgePolicy::samples) | 20 | with fewer there is no 95th percentile |
//! | [`budget_ratio`](HedgePolicy::budget_ratio) | 5 % of the calls of a route, and of its retry budget | the extra load on the provider stays small, most of all when it is slow for all calls |
//!
//! First events of streams and whole answers are measured separately. The last 128 of each count.
//!
//! # What happens
//!
//! - The second copy starts when the first has taken longer than 95 % of the calls before it, or at once when the first fails
//!   with a transient failure that names no wait. The clock stops while the call waits in a queue of this client.
//! - The first *success* wins; after a failure the other copy is awaited. The losing copy is dropped: its connection closes and
//!   its permits are released. If both fail, the caller gets the failure of the first copy.
//! - A copy is the one repetition of a call that may be billed twice, and counts as one of its retries: no copy follows a retry
//!   of a broken connection or of a cut answer, over all fallbacks, and no such retry follows a copy.
//! - A call whose body can be sent only once, a breaker's probe, and a request in no known dialect have no second copy: the last
//!   may have side effects at the provider.
//!
//! # Example
//!
//! ```
//! use evenkeel::{Client, Profile, hedge::HedgePolicy};
//!
//! # fn main() -> Result<(), evenkeel::ConfigError> {
//! let profile = Profile::interactive().hedge(HedgePolicy::default());
//! let client = Client::builder().profile(profile).build()?;
//! # let _ = client; Ok(())
//! # }
//! ```
//!
//! # Events
//!
//! [`Hedged`](crate::telemetry::EventKind::Hedged) when a second copy starts. Both copies are in the attempt log; a copy that was
//! dropped is logged as cancelled.
//!
//! # Pitfalls
//!
//! - Both copies may be billed: the provider decides what a dropped copy costs.
//! - A route with fewer than 20 calls an hour collects samples slowly; its first calls have no second copy.

mod context;
mod policy;
mod race;
mod service;

pub use policy::HedgePolicy;
pub use service::{Hedge, HedgeFuture, HedgeLayer};

pub use crate::latency::Latencies;
