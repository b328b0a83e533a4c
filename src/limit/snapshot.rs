//! A snapshot of the limits of a route.

use std::time::Duration;

/// A snapshot of the limits of a route.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LimitSnapshot {
    /// The number of waiting calls.
    pub waiting: usize,
    /// The number of attempts under way, each until its body has ended.
    pub in_flight: u32,
    /// The largest number of attempts under way; `None` if unlimited.
    pub concurrency: Option<u32>,
    /// The number of requests that can be sent now, if known; negative if requests are owed.
    pub requests: Option<f64>,
    /// The number of tokens that can be spent now, if known; negative if tokens are owed.
    pub tokens: Option<f64>,
    /// The requests per minute, as configured or as reported by the provider; `None` if neither is known.
    pub requests_a_minute: Option<f64>,
    /// The tokens per minute, as configured or as reported by the provider; `None` if neither is known.
    pub tokens_a_minute: Option<f64>,
    /// The time for which the route is still closed, if its provider asked for it.
    pub closed_for: Option<Duration>,
}
