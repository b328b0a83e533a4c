//! The breaker of a route.

use serde::Deserialize;

use crate::config::values::{OrOff, Time, Whole};

/// When a route is closed to calls, and how it recovers. The defaults adapt to the rate of calls; a number that is set applies
/// literally.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct BreakerTable {
    /// The failed calls in a row that open. Default: from 5 on, where more would be improbable.
    pub(in crate::config) consecutive_failures: Option<OrOff<Whole<1, { u32::MAX as u64 }>>>,
    /// The share of failed calls that opens. Default: 0.5, where chance is ruled out.
    pub(in crate::config) failure_ratio: Option<OrOff<f64>>,
    /// The time that failures have to span before a default rule opens. Default: 1s.
    pub(in crate::config) min_span: Option<Time>,
    /// The share of slow calls that opens. Default: 0.8.
    pub(in crate::config) slow_ratio: Option<OrOff<f64>>,
    /// When a call is slow. Default: after four fifths of the limit of its attempt, and three times the usual latency.
    pub(in crate::config) slow_after: Option<SlowAfterTable>,
    /// The fewest calls in the window for the ratios. Default: 10.
    pub(in crate::config) min_calls: Option<Whole<1, { u32::MAX as u64 }>>,
    /// The time over which calls are counted. Default: 30s.
    pub(in crate::config) window: Option<Time>,
    /// How long the breaker stays open: at first, and at most. Default: ["5s", "30s"].
    pub(in crate::config) open_backoff: Option<[Time; 2]>,
    /// The share by which the time open is changed at random. Default: 0.2.
    pub(in crate::config) jitter: Option<f64>,
    /// The longest wait that a provider can impose. Default: 10min.
    pub(in crate::config) max_hint: Option<Time>,
    /// How long it stays open for an exhausted quota: at first, and at most. Default: ["1min", "10min"].
    pub(in crate::config) quota_backoff: Option<[Time; 2]>,
    /// The rejections of the credential in a row that open. Default: from 2 on.
    pub(in crate::config) unauthorized: Option<OrOff<Whole<1, { u32::MAX as u64 }>>>,
    /// The probes at a time while it is half-open. Default: 1.
    pub(in crate::config) max_probes: Option<Whole<1, { u32::MAX as u64 }>>,
    /// The probes that have to succeed. Default: 2.
    pub(in crate::config) probe_successes: Option<Whole<1, { u32::MAX as u64 }>>,
    /// The time after which a probe counts as hung. Default: the longest limit of an attempt.
    pub(in crate::config) probe_timeout: Option<Time>,
    /// The time in which the share of calls let through grows to all; zero lets all through at once. Default: 20s.
    pub(in crate::config) ramp: Option<Time>,
    /// The share of calls let through at the start of the ramp. Default: 0.1.
    pub(in crate::config) initial_share: Option<f64>,
}

/// When a call is slow.
#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SlowAfterTable {
    /// From the start of a streamed attempt to its first content.
    pub(in crate::config) first_event: Time,
    /// One attempt at an answer that is not streamed.
    pub(in crate::config) whole_answer: Time,
}
