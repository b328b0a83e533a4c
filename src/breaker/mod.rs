//! Stops sending calls to a route that fails, and detects with few calls that it has recovered.
//!
//! Use it wherever a provider can be down for longer than a call can wait: a refused call costs nothing, goes to its fallbacks at
//! once, and adds no load to the provider. There is one breaker per [`Route`](crate::context::Route), so a model that fails does
//! not close another model of the same key.
//!
//! # Defaults
//!
//! A breaker opens where most calls would fail, once chance is ruled out: at ≥ 50 % failed of ≥ 10 calls in 30 s, at a run of
//! failed attempts that is improbable given the share of failures since failures began (5 if they begin with the run), and at
//! ≥ 80 % of ≥ 10 calls slower than usual. It opens at once when the quota is exhausted, and when the credential was rejected twice
//! in a row. It stays open for 5 s, doubled each time it reopens up to 30 s; for a quota 1 min, doubled up to 10 min; for a
//! credential 5 s, doubled up to 1 min. Then it lets through one probe at a time, and after two successes a growing share of the
//! calls, from 10 % to all within 20 s. See [`BreakerPolicy`] for the reasons.
//!
//! # Example
//!
//! ```
//! use evenkeel::{Body, Error, Request, Response, breaker::BreakerPolicy};
//! use tower::{ServiceBuilder, service_fn};
//!
//! let layer = BreakerPolicy::default().consecutive_failures(3).build()?;
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
//! - The share is of *calls*. Under a retry layer a failed attempt is counted when its call has ended: as one failure, unless a
//!   retry at the same route was answered. Without a retry layer each attempt is a call.
//! - The run is of *attempts*, since in an outage each is evidence. It opens only if at least three calls failed in it, if it
//!   spans a second, and if half of the attempts that were let through meanwhile have failed; attempts under way may still be
//!   answered and weigh against it. Attempts that were under way together and failed together count as one. A success ends a run,
//!   unless its attempt started before the run.
//! - A body that breaks off is a failure; one that the caller dropped is a success. Answers that are lost with one connection,
//!   within 250 ms, are one failure.
//! - Latency counts at the first event, or at the end if there is none. An answer is slow if it takes longer than four fifths of
//!   the attempt's limit *and* three times as long as usual for its kind; only calls that have another target are counted as slow
//!   and refused for it.
//! - An attempt that its caller dropped, or that the call's deadline ended, is a failure if it ran for four fifths of its own
//!   limit. Else it is not counted: a healthy provider may need longer than a short deadline allows.
//! - A rate limit counts as a failure in the share but not in a run. Rejections caused by the request itself do not count.
//! - Two rejections of the credential in a row open the route. More are needed where rejections and answers have been mixed: the
//!   calls of one caller may be rejected, by a 401 or a 402 that concerns only those calls, while other calls with the same
//!   credential are answered. Only calls that have another target are refused for it; the others are sent and get the provider's
//!   own answer. A rejection never opens a route without a visible credential, and the block page of a firewall never opens any
//!   route.
//! - A probe is given to a caller with enough time: twice the usual latency, or twice as long as the last dropped probe ran. A
//!   dropped probe frees its place; after three dropped probes in a row the breaker opens again for the same time as before. A
//!   probe is decided at its first event. When its body breaks off later, the breaker opens again if it is still half-open; else
//!   it is an ordinary failure. A probe without an answer after its limit opens the breaker for longer. Where a probe takes long,
//!   another one is let through beside it every 30 s.
//! - While the breaker recovers, five calls are enough for a share. A bad share halves the share of calls that is let through; at
//!   the bottom, or where no call succeeded, the breaker opens again, for longer.
//! - Attempts admitted before the breaker opened, or before its share was halved, are not counted after that.
//!
//! # Suspicion
//!
//! A run that is not long enough to open is suspicious if it spans a quarter of a second and its probability is below one in ten.
//! Until the next success, calls that have another target are then sent there, except for one in 2 s, and retries stop. Callers
//! without another target are not refused. Where another route of the provider is open or suspicious because of failures, one
//! failure is enough. The same applies while more than 55 % of the attempts fail, of at least ten in 30 s, although retries still
//! save most calls; and while more than three calls in ten fail, of at least five. Where the other targets fail as well, the
//! fallbacks try the suspicious one after all.
//!
//! # Many credentials
//!
//! Where each call brings another credential, no route has enough calls to open. So the first failures of routes of one model
//! that had no answer in the last minute are also counted together, per operation, and eight different ones in a run open for all
//! routes without an answer since. [`Breakers::list`] lists this breaker while it is not closed, with the credential `*`;
//! [`Breakers::reset`] of that route closes it.
//!
//! At most 4 096 routes are kept. A route that is open, forced or has failures in its window is not evicted for a new one, nor is
//! one of which another layer with the same [`Routes`](crate::context::Routes) keeps more than at the start, such as a spent budget.
//! A route without room in the table has no state of its own: it is covered only by the failures counted together, so its own quota
//! or rejected key closes nothing. In an outage that 100 000 credentials meet, a call sends no more attempts than with one
//! credential, within a factor of two. See [`identity`](crate::identity#bounds) for the memory.
//!
//! # Events
//!
//! [`BreakerChanged`](crate::telemetry::EventKind::BreakerChanged) with the cause, and
//! [`BreakerRefused`](crate::telemetry::EventKind::BreakerRefused). [`Breakers::watch`] returns the changes as a stream. No event
//! is emitted under a lock.
//!
//! # Pitfalls
//!
//! - A refusal is `Err` with [`Outcome::NotSent`](crate::outcome::Outcome::NotSent): do not retry it on the same route.
//! - Without the layers below that wait for the first event, an answer begins with its response head.
//! - Time that a call spends in the queue of the [limits](crate::limit) below is not counted as latency, and a call that leaves
//!   the queue unsent is not counted at all. Time in another queue below the breaker counts.
//! - Explicit rules apply literally: `consecutive_failures(5)` opens after five failed calls whatever the route's past, also at
//!   500 calls a second.
//! - Timed transitions are made lazily, at the next call or query. An idle breaker keeps its last state until then.

mod admission_record;
mod adopt;
mod availability;
mod changes;
mod circuit;
mod coarse_breaker;
mod coarse_breaker_link;
mod coarse_breakers;
mod count;
mod decision_input;
mod failure_run;
mod judge;
mod machine;
mod open_backoff;
mod parent;
mod permit;
mod policy;
mod probes;
mod provider_routes;
mod ramp;
mod registry;
mod rest;
mod service;
mod settle;
mod state;
mod suspicion;
mod transition;
mod usual_latency;
mod window;

#[cfg(test)]
mod tests;

pub use crate::{
    circuit_state::{CircuitState, TransitionReason},
    time::AnswerTimes,
};
pub use changes::{Change, Changes};
pub use circuit::CircuitBreaker;
pub use permit::Permit;
pub use policy::BreakerPolicy;
pub use registry::Breakers;
pub use service::{Breaker, BreakerFuture, BreakerLayer};
pub use state::{BreakerSnapshot, Refusal};
