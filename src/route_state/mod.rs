//! State that is kept per route: one registry, of which several layers can keep their own part.
//!
//! [`Routes`] is the registry. It has one entry for each route, made on first use, removed when nothing is lost by it, bounded in
//! number. An entry has eight slots. A layer registers a [`Slot`] for each type that it keeps and fills it in the entries
//! of the routes that it is asked for. One look-up by [`Routes::find`] gives a [`RouteHandle`], and the handle gives the
//! values of all slots: the first layer that needs the state of an attempt's route looks it up, and hands the handle on to the
//! layers below it in the context of the attempt.
//!
//! # Bounds
//!
//! A registry has [`Routes::MAX`] routes. When it is full, a new route takes the place of one whose entry is [at rest](AtRest), and
//! an entry is at rest when the values of all its slots are. What is open, waits, is spent or under way is not removed: a caller
//! with many credentials could otherwise wipe out what is known of all others. Where no entry that was looked at is at rest, the
//! handle has the coarse entry that the call shares with all credentials of its provider and model (`*` in the place of the
//! credential), or with all models of the provider where there are too many of those as well. [`Slot::own_of`] gives nothing for
//! such a handle: the breakers have a coarse state already (`breaker::coarse_breakers`), which also stands over the routes
//! that have a breaker of their own.
//!
//! A look-up costs the same whatever the registry holds; a new route looks at no more than a few others.
//!
//! # Operations
//!
//! What all operations of a route share, such as its limits, is kept in the entry of the route
//! [without its operation](Routes::without_operation). The entry of an operation has a link to it, so that it needs no second
//! look-up, and the link keeps it from being removed.
//!
//! # Memory
//!
//! A registry full of breakers takes less than 8 MiB, and that of a client less than 24 MiB, which tests hold; the latencies of
//! routes with 128 calls of each kind take up to 16 MiB more. The coarse entries are at most 1 281 more.

mod handle;
mod rest;
mod routes;
mod slot;
mod state;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use handle::RouteHandle;
pub(crate) use rest::{AtRest, Rest};
pub use routes::Routes;
pub(crate) use slot::Slot;
