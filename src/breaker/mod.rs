//! Stops asking a route that fails, and finds out with few calls when it is well again.
//!
//! Use it wherever a provider can be down for longer than a call can wait: the calls it refuses cost nothing, go down the
//! ladder at once, and leave the provider alone. There is one breaker per [`Route`](crate::context::Route), so a model that
//! fails does not close another model of the same key.
//!
//! # Defaults
//!
//! It opens on 5 failures in a row, on ≥ 50 % failures of ≥ 10 calls in 30 s, on ≥ 80 % slow calls of ≥ 10, at once when the
//! quota is exhausted, and when the credential was rejected twice in a row. It stays open for 5 s, doubled at each return up to
//! 30 s; for a quota 5 min, doubled up to an hour; for a credential 5 s, doubled up to a minute. Then one probe at a time; after two successes a growing share
//! of the calls, from 10 % to all within 20 s. See [`BreakerPolicy`] for the reasons.
//!
//! # Example
//!
//! ```
//! use evenkeel::{Body, Error, Request, Response, breaker::BreakerPolicy};
//! use tower::{ServiceBuilder, service_fn};
//!
//! let layer = BreakerPolicy::default().consecutive(3).build()?;
//! let breakers = layer.handle();
//! let service = ServiceBuilder::new()
//!     .layer(layer)
//!     .service(service_fn(|_: Request| async { Ok::<_, Error>(Response::new(Body::from("hello"))) }));
//! # let _ = service;
//! for (route, shown) in breakers.list() {
//!     println!("{route}: {}", shown.state);
//! }
//! # Ok::<(), evenkeel::ConfigError>(())
//! ```
//!
//! # What counts
//!
//! - Each call counts once: when it fails, or when its body has ended. A body that dies half-way is a failure; one that the caller
//!   dropped was well so far, a success.
//! - Its latency counts when its first event is there, or it ends without one. A call that the caller gave up counts as slow if it
//!   had waited too long already; else it says nothing.
//! - A call that its deadline ended within a second (an eighth of the time after which a stream is slow) says nothing: a
//!   caller in a hurry is no failure of the provider. One that had more time is a failure.
//! - A rate limit counts as a failure in the ratio and not in a row. Rejections that are the request's own fault do not count.
//! - A credential that is rejected twice with no success in between closes the route for seconds, a minute at most: routes are
//!   made by credential, so nobody else's is affected, and a new key is a new route. A 402 counts the same. A route without a
//!   credential that we see is never closed by it, nor is any by the block page of a firewall, nor by what is forbidden to one
//!   request (a 403, a missing scope, an expired file).
//! - Each operation has a route of its own, so that embeddings that fail close no chat. A breaker
//!   that is [forced open](Breakers::force_open) is that of one operation.
//! - A probe is decided at its first event: slow is failed. When its body dies later, the breaker opens again if it is still
//!   half-open, else it is a failure like any other. A probe that is dropped opens the breaker again for as long as
//!   before; one without an answer after its limit opens it for longer.
//! - While it recovers, three calls are enough to open it again by any rule: three failures in a row, or half of three and
//!   more, or most of them slow.
//! - What was admitted before the breaker opened says nothing after it.
//!
//! # Events
//!
//! [`BreakerChanged`](crate::telemetry::Event::BreakerChanged) with the cause, and
//! [`BreakerRefused`](crate::telemetry::Event::BreakerRefused). [`Breakers::watch`] gives the changes as a stream. Nothing is called
//! under a lock.
//!
//! # Pitfalls
//!
//! - A refusal is `Err` with [`Outcome::Refused`](crate::classify::Outcome::Refused): do not retry it on the same route.
//! - Alone, without the layers below it that wait for the first event, an answer begins with its head.
//! - Time that a call spends in the queue of the [limits](crate::limit) below is no latency, and a call that leaves it
//!   unsent says nothing. Time in a queue of your own below counts.
//! - The time of a state passes when somebody asks. A breaker that nobody asks stays as it was, and is right when asked.

mod machine;
mod opening;
mod outlook;
mod permit;
mod policy;
mod probes;
mod ramp;
mod registry;
mod service;
mod state;
mod ticket;
mod transition;
mod turn;
mod window;

#[cfg(test)]
mod tests;

pub use permit::{Breaker, Permit};
pub use policy::BreakerPolicy;
pub use registry::{Breakers, Change, Changes};
pub use service::{BreakerFuture, BreakerLayer, BreakerService};
pub use state::{Cause, Refusal, Snapshot, State};
pub(crate) use turn::Turn;
pub(crate) use window::{Tally, Window};
