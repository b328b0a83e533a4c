//! Integration tests of the crate, one file for each part. Shared code is in `support`.
#![allow(clippy::unwrap_used)]
// The lint exempts only test functions, not their helpers.

mod amend;
mod availability;
mod balance;
mod breaker;
mod cache;
#[cfg(feature = "chaos")]
mod chaos;
mod classify_layer;
#[cfg(feature = "reqwest")]
mod client;
#[cfg(feature = "compression")]
mod coding;
mod cold_start;
mod combinations;
mod config;
#[cfg(feature = "serde")]
mod config_file;
#[cfg(feature = "reqwest")]
mod connections;
mod contract;
mod credentials;
mod dialect;
mod error_responses;
mod errors;
mod explicit_dialect;
mod failures_default;
mod failures_long_limits;
#[cfg(feature = "reqwest")]
mod failures_over_sockets;
mod fallback;
mod hedge;
mod identity;
mod limit;
mod local_failures;
mod loopback;
#[cfg(feature = "metrics")]
mod metrics;
mod no_harm;
mod operations;
mod options;
mod outage;
mod passthrough;
mod per_call;
mod properties;
mod providers;
mod readme;
mod reasoning;
mod rehearse;
mod resume;
mod retry;
mod slow_streams;
mod stack;
mod state_of;
mod stream_faults;
mod support;
mod testkit;
mod timeout;
mod tower_stack;
mod unfinished;
