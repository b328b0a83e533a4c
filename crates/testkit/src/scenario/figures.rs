//! The figures of a drill.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scenario::{Kind, Series};

/// What became of the calls of one client. Each call is one of `primary`, `secondary`, `stored`, `canned`, `error`, `hung`;
/// `late` is counted beside. Seconds are those of the incident.
///
/// Who answered is told by the head: a rung that is called stored or canned (`evenkeel-rung`), else the provider
/// (`x-served-by`); what no provider served is a canned reply. An answer counts only when it is whole: a provider's has to be
/// the sixty words, one of ours has to have content and an end. Everything else is an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// The client.
    pub name: String,
    /// All calls.
    pub calls: u64,
    /// Answered by the primary.
    pub primary: u64,
    /// Answered by the secondary.
    pub secondary: u64,
    /// Answered by a stored answer.
    pub stored: u64,
    /// Answered by a canned reply.
    pub canned: u64,
    /// Failed, or not whole.
    pub error: u64,
    /// Answered (a stream: begun to be answered) or failed after more than 30 s.
    pub late: u64,
    /// Neither answered nor failed after 120 s.
    pub hung: u64,
    /// Attempts that reached the primary.
    pub attempts_primary: u64,
    /// Calls that were made while the primary was down.
    pub calls_down: u64,
    /// Attempts that reached the primary while it was down.
    pub attempts_primary_down: u64,
    /// For each phase that is down: from its start to the first call that was not sent to the primary; `None` when all
    /// were.
    pub detect_s: Vec<Option<f64>>,
    /// For each healthy phase after an outage: from its start to the first ten seconds of whose calls the primary answered
    /// 95 %; `None` when there are none.
    pub recover_s: Vec<Option<f64>>,
    /// From the call to the first content, for half of the calls that were answered.
    pub first_event_p50_s: Option<f64>,
    /// The same for 99 % of them.
    pub first_event_p99_s: Option<f64>,
    /// What became of the calls with a tool that did not work; `None` where the incident is not about tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolFigures>,
    /// The answers of each rung that the head names (`evenkeel-rung`): all but the first. See [`Report::rungs`].
    #[serde(skip)]
    pub rungs: BTreeMap<String, u64>,
    /// The same over time, for plots.
    #[serde(skip)]
    pub series: Series,
    /// Why calls failed, and how many: the first 32 reasons.
    #[serde(skip)]
    pub reasons: BTreeMap<String, u64>,
}

/// What became of the calls that brought a tool while it did not work at the primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ToolFigures {
    /// All of them.
    pub calls: u64,
    /// Answered by the primary, which was last asked the same model without any tool.
    pub primary_without: u64,
    /// All calls of that time that brought no tool.
    pub others: u64,
    /// Those of them that the primary answered.
    pub primary_others: u64,
}

/// The figures of all clients of a drill.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The name of the incident.
    pub incident: String,
    /// The seed.
    pub seed: u64,
    /// The calls a minute.
    pub rate: f64,
    /// The clients.
    pub clients: Vec<Figures>,
    /// Of each client that says so: how many answers each rung gave, but for the first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rungs: BTreeMap<String, BTreeMap<String, u64>>,
}

// === impl Figures ===

impl Figures {
    /// How many calls came to that.
    pub fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Primary => self.primary,
            Kind::Secondary => self.secondary,
            Kind::Stored => self.stored,
            Kind::Canned => self.canned,
            Kind::Error => self.error,
            Kind::Hung => self.hung,
        }
    }
}
