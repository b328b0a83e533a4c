//! Time limits and retries.

use http::HeaderName;
use serde::Deserialize;

use crate::config::values::{OrOff, Parsed, Time, Whole};

/// The time limits of calls, and the limits of the gateway itself. A limit of an attempt that is not set gives way: to a shorter
/// deadline, and, for the last target that can be tried, to all the time that is left.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct LimitsTable {
    /// A call, over all attempts, waits and fallbacks: to its first content if it is streamed, else to its whole answer. Default:
    /// 30s, pipeline 15min.
    pub(in crate::config) deadline: Option<Time>,
    /// One connection. Default: 5s.
    pub(in crate::config) connect: Option<Time>,
    /// One attempt at an answer that is not streamed. Default: 20s, pipeline 5min.
    pub(in crate::config) attempt: Option<Time>,
    /// From the start of a streamed attempt to its first content. Default: 20s, pipeline 3min.
    pub(in crate::config) first_event: Option<Time>,
    /// Between two events with content. Default: 15s, pipeline 60s.
    pub(in crate::config) idle: Option<Time>,
    /// A whole stream. Default: off.
    pub(in crate::config) stream_total: Option<OrOff<Time>>,
    /// The events with content a minute below which a stream counts as slow. Default: off.
    pub(in crate::config) min_events_per_minute: Option<OrOff<Whole<1, { u32::MAX as u64 }>>>,
    /// A call to a local model that may have to be loaded first, if no other target could take it. Default: 2min, unless the
    /// deadline is set.
    pub(in crate::config) cold_start: Option<OrOff<Time>>,
    /// The header that carries the milliseconds that are left to the upstream. Default: none.
    pub(in crate::config) deadline_header: Option<Parsed<HeaderName>>,
    /// The most retries of a call on the same route. Default: 2, pipeline 5.
    pub(in crate::config) retries: Option<Whole<0, 100>>,
    /// Gateway: a request that is not a chat (uploads, images, lists). Default: 10min.
    pub(in crate::config) other: Option<Time>,
    /// Gateway: answers in progress, at shutdown. Default: 30s.
    pub(in crate::config) drain: Option<Time>,
    /// Gateway: the bytes of a chat request, which is buffered. Default: 33554432.
    pub(in crate::config) body: Option<Whole<1, { 1024 * 1024 * 1024 }>>,
    /// Gateway: the bytes of all request bodies of more than 64 KiB that are held at a time. A call waits until there is room, at
    /// most until its deadline. Default: 268435456; never less than `body`.
    pub(in crate::config) body_budget: Option<Whole<1, { u32::MAX as u64 }>>,
    /// Gateway: connections at a time. Default: 1024.
    pub(in crate::config) connections: Option<Whole<1, 100_000>>,
}

/// The waits between retries, and their budget. Their number is `retries` of `[limits]`.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct RetryTable {
    /// The longest wait before the first retry. Default: 250ms, pipeline 1s.
    pub(in crate::config) base: Option<Time>,
    /// The factor by which each wait may be longer than the one before. Default: 2.
    pub(in crate::config) factor: Option<f64>,
    /// The longest wait before any retry. Default: 4s, pipeline 60s.
    pub(in crate::config) max_backoff: Option<Time>,
    /// The longest wait that a provider can impose. Default: 2min.
    pub(in crate::config) max_hint: Option<Time>,
    /// The time that has to be left for the attempt after the wait. Default: 1s, or a tenth of the deadline if that is less.
    pub(in crate::config) min_attempt_time: Option<Time>,
    /// The share of a retry that each first attempt adds to the budget of its route. Default: 0.2.
    pub(in crate::config) budget_ratio: Option<f64>,
    /// The retries that a route has in reserve. Default: 10.
    pub(in crate::config) budget_reserve: Option<Whole<1, { u32::MAX as u64 }>>,
    /// The bytes of request that one call may send again, over all its targets and retries; at least four times its body, and a part
    /// of it comes back with time. Default: 33554432.
    pub(in crate::config) resend_bytes: Option<OrOff<Whole<1, { u32::MAX as u64 }>>>,
}
