//! The tests of the crate from outside, one file per part.
#![allow(clippy::unwrap_used)]
// The lint's own exception covers test functions alone, not what they share.

mod availability;
mod balance;
mod baseline;
mod breaker;
mod cache;
#[cfg(feature = "reqwest")]
mod client;
mod compose;
mod config;
#[cfg(feature = "reqwest")]
mod connections;
mod contract;
mod dialect;
mod edits;
#[cfg(feature = "reqwest")]
mod failures;
mod fallbacks;
mod hedge;
mod home;
mod identity;
mod ladder;
mod limit;
mod loopback;
mod no_harm;
mod ours;
mod outage;
mod pace;
mod passed;
mod per_call;
mod property;
mod providers;
mod recovery;
mod resume;
mod retry;
mod scene;
mod spoken;
mod stories;
mod stream;
mod streams;
mod testkit;
mod timeout;
mod together;
mod wire;
