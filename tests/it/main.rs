//! The tests of the crate from outside, one file per part.
#![allow(clippy::unwrap_used)]
// The lint's own exception covers test functions alone, not what they share.

mod breaker;
mod classify;
#[cfg(feature = "reqwest")]
mod client;
mod compose;
mod config;
mod contract;
mod dialect;
mod ladder;
mod loopback;
mod outage;
mod per_call;
mod property;
mod retry;
mod scene;
mod stories;
mod stream;
mod testkit;
mod timeout;
