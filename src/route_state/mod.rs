//! State that is kept per route, in one registry that several layers share.
//!
//! [`Routes`] is the registry. It has one entry for each route, created on first use and evicted when nothing is lost by it; the
//! number of entries is bounded. An entry has eight slots. A layer registers a [`Slot`] for each type that it keeps, and fills it
//! in the entries of the routes that it uses. One lookup by [`Routes::find`] returns a [`RouteHandle`], and the handle gives
//! access to the values of all slots: the first layer that needs the state of an attempt's route looks it up, and passes the
//! handle to the layers below it in the context of the attempt.
//!
//! # Bounds
//!
//! A registry has [`Routes::MAX`] routes. When it is full, a new route replaces one whose entry is [at rest](AtRest), and an
//! entry is at rest when the values of all its slots are. An entry that is open, has waiting calls, a spent budget or calls under
//! way is not evicted: a caller with many credentials could otherwise evict the state of all others. If no entry that was looked
//! at is at rest, the handle has the coarse entry that the route shares with all credentials of its provider and model (`*` in
//! place of the credential), or with all models of the provider if there are too many of those as well. [`Slot::own_of`] returns
//! `None` for such a handle: the breakers have a coarse state already (`breaker::coarse_breakers`), which also covers the routes
//! that have a breaker of their own.
//!
//! The cost of a lookup does not depend on the size of the registry; a new route looks at a few others at most.
//!
//! # Operations
//!
//! State that all operations of a route share, such as its limits, is kept in the entry of the route [without its
//! operation](Routes::without_operation). The entry of an operation links to it, so that it needs no second lookup, and the link
//! keeps it from being evicted.
//!
//! # Memory
//!
//! A registry full of breakers takes less than 8 MiB, and that of a client less than 24 MiB; tests check both. The latencies of
//! routes with 128 calls of each kind take up to 16 MiB more. There are at most 1 281 coarse entries in addition.

mod handle;
mod replaceable;
mod rest;
mod routes;
mod slot;
mod state;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use handle::RouteHandle;
pub(crate) use replaceable::{InUse, Replaceable};
pub(crate) use rest::{AtRest, Rest};
pub use routes::Routes;
pub(crate) use slot::Slot;
