//! Stops asking a route that fails, and finds out with few calls when it is well again.
//!
//! Use it wherever a provider can be down for longer than a call can wait: the calls it refuses cost nothing, go down the
//! ladder at once, and leave the provider alone. There is one breaker per [`Route`](crate::context::Route), so a model that
//! fails does not close another model of the same key.
//!
//! # Defaults
//!
//! It opens where most calls would fail, and not before chance is ruled out: on ≥ 50 % failed of ≥ 10 calls in 30 s, on a run of
//! failed attempts that is improbable at the share that has failed since failures began (5 if they begin with it), and on ≥ 80 %
//! calls of ≥ 10 slower than usual. It opens at once when the quota is exhausted, and when the credential was rejected twice in
//! a row. It stays open for 5 s, doubled at each return up to 30 s; for a quota a minute, doubled up to ten; for a credential
//! 5 s, doubled up to a minute. Then one probe at a time; after two successes a growing share of the calls, from 10 % to all within 20 s. See
//! [`BreakerPolicy`] for the reasons.
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
//! - The share is of *calls*. Under a retry layer a failed attempt is counted when its call has ended, as one failure if no
//!   retry at the same route brought the answer. Without one each attempt is a call.
//! - The run is of *attempts*, since in an outage each says the same. It opens only if at least three calls failed in it, if it
//!   spans a second, and if half of the attempts that were let through meanwhile have failed; those under way may be answered
//!   yet, and weigh against it. Attempts that were under way together and failed together are one. A success ends a run, unless
//!   it was asked for before the run.
//! - A body that dies half-way is a failure; one that the caller dropped was well so far, a success. Answers that are lost with
//!   one connection, within 250 ms, are one failure.
//! - Latency counts when the first event is there, or at the end without one. Slow is longer than four fifths of the attempt's
//!   limit *and* three times as long as usual for that kind of answer; only calls that have another target are counted as slow
//!   and refused for it.
//! - An attempt that its caller gave up, or that the call's deadline ended, is a failure if it had four fifths of its own limit.
//!   Else it says nothing: a provider that is well may need longer than a caller in a hurry has.
//! - A rate limit counts as a failure in the share and not in a run. Rejections that are the request's own fault do not count.
//! - Two rejections of the credential in a row open the route; more are needed where rejections and answers have come together:
//!   one caller's calls may be rejected, by a 401 or a 402 that means those calls alone, while the others of the same credential
//!   are answered. Only calls that have another target are refused for it; the others ask, and have the provider's own answer.
//!   A route without a credential that we see is never opened by it, nor is any by the block page of a firewall.
//! - A probe is given to a caller who has time for it: twice the usual latency, or twice as long as the last one stayed. One that
//!   is dropped hands its place on; after three of them in a row it opens again for as long as before. A probe is decided at its
//!   first event. When its body dies later, the breaker opens again if it is still half-open, else it is a failure like any other.
//!   One without an answer after its limit opens it for longer. Where a probe takes long, another is let through beside it every
//!   30 s.
//! - While it recovers, five calls are enough for a share. A bad one halves the share of calls that is let through; at the bottom,
//!   or where none succeeded, it opens again, for longer.
//! - What was admitted before the breaker opened, or before its share was halved, says nothing after it.
//!
//! # Suspicion
//!
//! A run that is not long enough to open may still, over a quarter of a second, be improbable by one in ten. Until the next
//! success, calls that have another target are then sent there, but for one in 2 s, and retries stop. Callers who have no other
//! target are not refused. Where another route of the provider is open or suspicious because of failures, one failure is enough
//! for that. The same holds while more than 55 % of the attempts fail, of ten and more in 30 s, although retries still save most
//! calls; and while more than three calls in ten fail, of five and more. Where the other targets fail as well, the ladder asks
//! the suspicious one after all.
//!
//! # Many credentials
//!
//! Where each call brings another credential, no route has enough calls to open by. So the first failures of routes of one model
//! that had no answer in the last minute are also counted together, for each operation, and eight different ones in a run open
//! for all routes that had no answer since. [`Breakers::list`] shows it while it is not closed, with the credential `*`;
//! [`Breakers::reset`] of that route closes it.
//!
//! At most 4 096 routes are kept. One that is open, forced or has failures in its window is not forgotten for a new one, nor is one
//! of which another layer with the same [`Routes`](crate::context::Routes) keeps more than was there at first, such as a spent
//! budget. A route that there is no room for has no state of its own: the failures counted together are all that is known of it,
//! so that its own quota or rejected key closes nothing. In an outage that 100 000 credentials meet, a call sends no more
//! attempts than with one credential, within a factor of two. See [`identity`](crate::identity#bounds) for the memory.
//!
//! # Events
//!
//! [`BreakerChanged`](crate::telemetry::EventKind::BreakerChanged) with the cause, and
//! [`BreakerRefused`](crate::telemetry::EventKind::BreakerRefused). [`Breakers::watch`] gives the changes as a stream. Nothing is called
//! under a lock.
//!
//! # Pitfalls
//!
//! - A refusal is `Err` with [`Outcome::NotSent`](crate::outcome::Outcome::NotSent): do not retry it on the same route.
//! - Alone, without the layers below it that wait for the first event, an answer begins with its head.
//! - Time that a call spends in the queue of the [limits](crate::limit) below is no latency, and a call that leaves it
//!   unsent says nothing. Time in a queue of your own below counts.
//! - Rules that are set by hand mean what they say: `consecutive(5)` opens after five failed calls whatever the route has failed
//!   before, at 500 calls a second too.
//! - The time of a state passes when somebody asks. A breaker that nobody asks stays as it was, and is right when asked.

mod admission_record;
mod availability;
mod changes;
mod circuit;
mod coarse_breaker;
mod coarse_breaker_link;
mod coarse_breakers;
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
