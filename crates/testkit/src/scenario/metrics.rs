//! The metrics of a scenario.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scenario::{CallResult, Series};

/// The results of the calls of one client. Each call counts as one of `primary`, `secondary`, `stored`, `canned`, `error`,
/// `hung`, and also as `late` where it was late. Seconds are in the time of the incident.
///
/// The head of an answer names its source: `evenkeel-served-by` contains `stored` or `canned`, else `x-served-by` has the name of
/// the provider. An answer without that header is a canned reply. Only a whole answer counts: from a provider, all the sixty
/// words; stored or canned, any content with an end. All else is an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// The name of the client.
    pub name: String,
    /// The number of calls.
    pub calls: u64,
    /// Answered by the primary.
    pub primary: u64,
    /// Answered by the secondary.
    pub secondary: u64,
    /// Answered by a stored answer.
    pub stored: u64,
    /// Answered by a canned reply.
    pub canned: u64,
    /// Failed, or answered in part.
    pub error: u64,
    /// Answered or failed after more than 30 s. A stream is answered at its first content.
    pub late: u64,
    /// Neither answered nor failed within 120 s.
    pub hung: u64,
    /// The attempts that reached the primary.
    pub attempts_primary: u64,
    /// The calls made while the primary was down.
    pub calls_down: u64,
    /// The attempts that reached the primary while it was down.
    pub attempts_primary_down: u64,
    /// For each phase that is down: the time from its start to the first call that was not sent to the primary; `None` if all
    /// calls were sent to it.
    pub detect_s: Vec<Option<f64>>,
    /// For each healthy phase after an outage: the time from its start to the first ten seconds in which the primary answered
    /// 95 % of the calls; `None` if there are no such ten seconds.
    pub recover_s: Vec<Option<f64>>,
    /// The median time from a call to its first content, over the answered calls.
    pub first_event_p50_s: Option<f64>,
    /// The 99th percentile of the same.
    pub first_event_p99_s: Option<f64>,
    /// The calls with an unavailable tool; `None` where the incident has no unavailable tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolMetrics>,
    /// The number of answers of each fallback that a head names in `evenkeel-served-by`. See [`Report::fallbacks`].
    #[serde(skip)]
    pub fallbacks: BTreeMap<String, u64>,
    /// The same over time, for plots.
    #[serde(skip)]
    pub series: Series,
    /// The reasons for which calls failed, with their numbers: the first 32 reasons.
    #[serde(skip)]
    pub reasons: BTreeMap<String, u64>,
}

/// The calls with a tool while it was unavailable at the primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ToolMetrics {
    /// The number of these calls.
    pub calls: u64,
    /// Answered by the primary, whose last attempt had the same model and no tools.
    pub primary_without: u64,
    /// The calls without a tool in the same time.
    pub others: u64,
    /// The calls among `others` that the primary answered.
    pub primary_others: u64,
}

/// The metrics of all clients of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The name of the incident.
    pub incident: String,
    /// The seed.
    pub seed: u64,
    /// The calls a minute.
    pub rate: f64,
    /// The metrics of each client.
    pub clients: Vec<Metrics>,
    /// The answers of each fallback, for each client whose heads name fallbacks.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fallbacks: BTreeMap<String, BTreeMap<String, u64>>,
}

// === impl Metrics ===

impl Metrics {
    /// The number of calls with that result.
    pub fn of(&self, result: CallResult) -> u64 {
        match result {
            CallResult::Primary => self.primary,
            CallResult::Secondary => self.secondary,
            CallResult::Stored => self.stored,
            CallResult::Canned => self.canned,
            CallResult::Error => self.error,
            CallResult::Hung => self.hung,
        }
    }
}
