//! A [`Provider`] answers in process as configured, and counts every attempt.
//!
//! Use it in tests with virtual time: it is a Tower service that takes the place of a transport. The first of these that
//! applies decides the answer: an incident ([`following`](Provider::following)); the capacity
//! ([`capacity`](Provider::capacity)); an unavailable tool ([`when_tool`](Provider::when_tool)); the replies for the next
//! attempts ([`replies`](Provider::replies)); the reply for a period ([`during`](Provider::during)); the reply for all other
//! attempts ([`always`](Provider::always)).
//!
//! # Defaults
//!
//! Whole answers without latency, no limit of capacity, any credential. A prefill in a request is ignored; see
//! [`continues`](Provider::continues) and [`rejects_prefill`](Provider::rejects_prefill).
//!
//! A request to a path that no API has, such as `/v1/v1/chat/completions`, is answered by 404 instead of a whole answer, so that
//! a test finds a wrong base URL; a prefix that some API has, such as `/api`, is accepted. Paths are known with the version and without it. [`any_path`](Provider::any_path) turns this
//! off.
//!
//! # Example
//!
//! Sixty seconds of 503, then whole answers:
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
//! An attempt is counted when the future of the call is first polled, as a transport sends at that time. The first
//! [`MAX`](Provider::MAX) attempts are kept; the others are only counted.

mod attempt;
mod attempt_guard;
mod capacity;
mod configure;
mod connection_pool;
mod endpoints;
mod hosts;
mod minute_quota;
mod prefill;
mod received_headers;
mod reply_source;
mod script_body;
mod service;
mod state;
mod strict;

pub use attempt::{AttemptState, ReceivedAttempt};
pub(crate) use attempt_guard::AttemptGuard;
pub use capacity::Capacity;
pub(crate) use capacity::{Burst, TokenBucket};
pub use hosts::Hosts;
pub use received_headers::ReceivedHeaders;
pub use state::Provider;
pub use strict::Strict;
