//! Sends a second copy of a call when the first is late, and takes the answer that comes first.
//!
//! Use it where a few answers are many times slower than the others and a person waits: the slowest of a hundred then take
//! about twice as long as usual instead of twenty times (Dean and Barroso, *The Tail at Scale*, CACM 56(2), 2013). Every
//! copy is paid for, so it is off until it is asked for: [`Profile::hedge`](crate::Profile::hedge).
//!
//! It stands inside the ladder and outside the retries: a copy has retries, a permit and limits of its own. Where a fallback has
//! equal targets, the copy goes to another one, whose retry budget pays for it; where that is used up there is no copy. A
//! copy is no first attempt: it earns nothing towards retries.
//!
//! # Defaults
//!
//! | | default | why |
//! |---|---|---|
//! | [`quantile`](HedgePolicy::quantile) | 0.95 of the route's first events | one call in twenty is late by that measure, so the extra load is bounded by it as well |
//! | [`samples`](HedgePolicy::samples) | 20 | with fewer there is no 95th of a hundred |
//! | [`budget_ratio`](HedgePolicy::budget_ratio) | 5 % of the calls of a route, and of its retry budget | the provider is never hit much harder, and least of all when it is slow for everybody |
//!
//! First events of streams and whole answers are measured apart. The last 128 of each count.
//!
//! # What happens
//!
//! - The second copy starts when the first has taken as long as 95 % of the calls before it, or at once when the first
//!   fails with something that passes and named no wait. Its clock stands still while the call waits in a queue of ours.
//! - The first *success* wins; a failure waits for the other copy. The loser is dropped: its connection closes, its permits
//!   are free. Where both fail, the caller sees the failure of the first copy.
//! - A copy is the one repetition of a call that may be billed twice, and counts as one of its retries: there is none after
//!   a retry of a broken connection or of a cut answer, over all fallbacks, and no such retry after a copy.
//! - A call whose body can be sent only once, a breaker's probe, and a request in no known dialect have no second copy: the
//!   last may change something at the provider.
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
//! [`Hedged`](crate::telemetry::EventKind::Hedged) when a second copy starts. Both are in the attempt log; the loser, if it was the
//! attempt that was dropped, as cancelled.
//!
//! # Pitfalls
//!
//! - Both copies may be billed: what a dropped copy cost is the provider's to say.
//! - A route with fewer than 20 calls an hour learns slowly; its first calls have no second copy.

mod context;
mod policy;
mod race;
mod service;

pub use policy::HedgePolicy;
pub use service::{Hedge, HedgeFuture, HedgeLayer};

pub use crate::latency::Latencies;
