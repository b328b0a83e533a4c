//! What the limits of a route show to the outside.

use std::time::Duration;

/// The limits of a route at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LimitSnapshot {
    /// The number of waiting calls.
    pub waiting: usize,
    /// The number of attempts under way, each until its body has ended.
    pub in_flight: u32,
    /// The largest number of attempts under way; `None` where there is no limit.
    pub concurrency: Option<u32>,
    /// The number of requests that can be sent now, as far as it is known; negative where requests are owed.
    pub requests: Option<f64>,
    /// The number of tokens that can be spent now, as far as it is known; negative where tokens are owed.
    pub tokens: Option<f64>,
    /// The requests a minute, as configured or as the provider reports; `None` where neither is known.
    pub requests_a_minute: Option<f64>,
    /// The tokens a minute, as configured or as the provider reports; `None` where neither is known.
    pub tokens_a_minute: Option<f64>,
    /// How long the route is still closed, where its provider asked for it.
    pub closed_for: Option<Duration>,
}
