//! The limits of the key of a route, and hedges.

use serde::Deserialize;

use crate::config::values::{Filled, Parsed, Time, Toggle, Whole};

/// A count of calls or tokens.
pub(in crate::config) type Count = Whole<1, { u32::MAX as u64 }>;

/// The limits of the key of a route, and second copies of late calls. Default: only the limits that the provider reports.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct TrafficTable {
    /// The most attempts at a time. Default: no limit.
    pub(in crate::config) concurrency: Option<Count>,
    /// Whether the limit adapts to what the provider answers without delay, up to `concurrency`. Default: false.
    pub(in crate::config) adaptive: Option<Toggle<AdaptiveTable>>,
    /// The requests a minute. Default: no limit.
    pub(in crate::config) requests: Option<Count>,
    /// The tokens a minute. Default: no limit.
    pub(in crate::config) tokens: Option<Count>,
    /// The requests that may be sent at once after an idle time: those of this duration. Default: 5s.
    pub(in crate::config) burst: Option<Time>,
    /// The most calls of one priority that wait on a route. Default: 1024.
    pub(in crate::config) max_queue: Option<Whole<0, { 1 << 20 }>>,
    /// The share of the turns that goes to batch calls while interactive calls wait. Default: 0.1.
    pub(in crate::config) batch_share: Option<f64>,
    /// The time that has to be left for the attempt after the wait. Default: 1s.
    pub(in crate::config) min_attempt_time: Option<Time>,
    /// How long a route is closed after a 429 that names no wait. Default: not at all.
    pub(in crate::config) cooldown_without_hint: Option<Time>,
    /// The most second copies of late calls, as a share of all calls. Default: no copies.
    pub(in crate::config) hedge: Option<f64>,
    /// The quantile of the latency of first events after which a call is late. Default: 0.95.
    pub(in crate::config) hedge_quantile: Option<f64>,
    /// The first events of a route before a call of it can be late. Default: 20.
    pub(in crate::config) hedge_samples: Option<Count>,
    /// The limits of single models, in place of those above.
    pub(in crate::config) model: Vec<ModelTable>,
}

/// The limits of one model, in place of those of `[traffic]`.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ModelTable {
    /// The model, as a request names it.
    pub(in crate::config) name: Parsed<Filled>,
    /// The most attempts at a time. Default: no limit.
    pub(in crate::config) concurrency: Option<Count>,
    /// Whether the limit adapts. Default: false.
    pub(in crate::config) adaptive: Option<Toggle<AdaptiveTable>>,
    /// The requests a minute. Default: no limit.
    pub(in crate::config) requests: Option<Count>,
    /// The tokens a minute. Default: no limit.
    pub(in crate::config) tokens: Option<Count>,
}

/// How an adaptive limit finds the number of attempts that a provider takes.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct AdaptiveTable {
    /// The limit before any sample. Default: 8.
    pub(in crate::config) initial: Option<Count>,
    /// The smallest limit. Default: 1.
    pub(in crate::config) min: Option<Count>,
    /// The factor by which the first event may be slower than usual. Default: 1.5.
    pub(in crate::config) tolerance: Option<f64>,
    /// The share of the limit that is kept after a rejection. Default: 0.9.
    pub(in crate::config) backoff: Option<f64>,
    /// The answered calls before a limit that was too high is tried again. Default: 40.
    pub(in crate::config) patience: Option<Count>,
}
