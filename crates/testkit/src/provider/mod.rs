//! A provider in process: answers as it was told, and counts every attempt.
//!
//! Use it in tests of virtual time: it is a Tower service that can stand wherever a transport would. What it answers is
//! decided, first match first, by: an incident it follows ([`following`](Provider::following)); the tools that do not work
//! ([`when_tool`](Provider::when_tool)); the replies it was given in order ([`replies`](Provider::replies)); the spells of
//! time it was given ([`during`](Provider::during)); the reply for all the rest ([`always`](Provider::always)).
//!
//! # Defaults
//!
//! Whole answers at once, no limit of capacity, any credential. The beginning of an answer in a request is ignored
//! ([`continues`](Provider::continues), [`rejects_prefill`](Provider::rejects_prefill)).
//!
//! # Example
//!
//! Sixty seconds of 503, then well again:
//!
//! ```
//! use evenkeel_testkit::{Capacity, Provider, Reply};
//! use std::time::Duration;
//!
//! let minute = Duration::ZERO..Duration::from_secs(60);
//! let provider = Provider::new("primary")
//!     .during(minute, Reply::status(503))
//!     .capacity(Capacity::PerSecond(5.0), Reply::rate_limited(Some(Duration::from_secs(2))));
//! ```
//!
//! # Pitfalls
//!
//! Attempts are counted when the future of the call is polled first, as a transport would send then. The first
//! [`MAX`](Provider::MAX) are kept, the rest is only counted.

mod body;
mod capacity;
mod flight;
mod hosts;
mod line;
mod log;
mod minute;
mod prefill;
mod service;
mod source;
mod state;

pub use capacity::Capacity;
pub(crate) use capacity::{Bucket, Burst};
pub(crate) use flight::Flight;
pub use hosts::Hosts;
pub use log::{Attempt, Fate};
pub use state::Provider;
