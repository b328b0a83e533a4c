//! The report of a rehearsal.

use std::{slice, sync::Arc, time::Duration};

use http::StatusCode;

use crate::{
    context::Route,
    fallback::CannedFault,
    outcome::{Outcome, Rejection, Verdict},
    target::Shortfall,
    telemetry::{EditSummary, SkipReason},
};

/// What every target of a client answered, in the order of the fallbacks. `Display` is a table, one line for each target, for a
/// terminal; it has no secret and no text of a request or an answer.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    pub(super) targets: Vec<RehearsedTarget>,
}

/// One target in a rehearsal, or a fallback without a target.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RehearsedTarget {
    /// The position of its fallback, from 0: the call's own first target.
    pub fallback: usize,
    /// The name of its fallback.
    pub name: Arc<str>,
    /// The position among the equal targets of its fallback, from 0; `None` if it is alone.
    pub target: Option<usize>,
    /// The route of its calls; `None` if nothing was sent.
    pub route: Option<Route>,
    /// What the rehearsal found.
    pub finding: Finding,
    /// The status of the answer; `None` without an answer.
    pub status: Option<StatusCode>,
    /// The time to the head of the answer.
    pub head_after: Option<Duration>,
    /// The time to the first content of a stream, else to the whole answer; or to the failure.
    pub answer_after: Option<Duration>,
    /// What was changed in the request for this target.
    pub edits: EditSummary,
}

/// What a rehearsal found at a target.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Finding {
    /// It answered.
    Answered,
    /// It failed: the outcome, the provider's code, and the reason if TLS failed.
    Failed(Verdict),
    /// It was not asked, as a call like this one would skip it.
    #[non_exhaustive]
    Skipped {
        /// Why it would be skipped.
        reason: SkipReason,
        /// What the call needs and the fallback does not offer.
        shortfalls: Vec<Shortfall>,
    },
    /// The canned reply was made, and is an answer.
    Rendered,
    /// The canned reply is no answer.
    NotRendered(CannedFault),
    /// A stored answer or a wait for recovery: there is nobody to ask.
    NotAsked,
}

// === impl Rehearsal ===

impl Rehearsal {
    /// Whether every target answered, and every canned reply is an answer. `false` if nothing was asked.
    pub fn all_ok(&self) -> bool {
        !self.targets.is_empty() && self.iter().all(RehearsedTarget::is_ok)
    }

    /// The targets, in the order of the fallbacks.
    pub fn iter(&self) -> slice::Iter<'_, RehearsedTarget> {
        self.targets.iter()
    }
}

impl<'a> IntoIterator for &'a Rehearsal {
    type Item = &'a RehearsedTarget;
    type IntoIter = slice::Iter<'a, RehearsedTarget>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Several rehearsals as one, for one table.
impl FromIterator<Rehearsal> for Rehearsal {
    fn from_iter<T: IntoIterator<Item = Rehearsal>>(rehearsals: T) -> Self {
        Self { targets: rehearsals.into_iter().flat_map(|it| it.targets).collect() }
    }
}

// === impl RehearsedTarget ===

impl RehearsedTarget {
    /// Whether it answered. A stored answer and a wait are always ok.
    pub fn is_ok(&self) -> bool {
        matches!(self.finding, Finding::Answered | Finding::Rendered | Finding::NotAsked)
    }

    /// The outcome, if it was asked.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.finding {
            Finding::Answered => Some(Outcome::Success),
            Finding::Failed(verdict) => Some(verdict.outcome()),
            _ => None,
        }
    }

    /// What to look at first, for the failures of a wrong configuration.
    pub fn hint(&self) -> Option<&'static str> {
        match (self.outcome()?, self.status.map(|status| status.as_u16())) {
            (Outcome::Success, _) => None,
            (Outcome::Rejected { why: Rejection::Credential }, _) | (_, Some(401 | 403)) => {
                Some("check its key")
            }
            (_, Some(404 | 405)) => Some("check its base URL and its model"),
            (Outcome::Rejected { why: Rejection::Model }, _) => Some("check its model"),
            (_, Some(300..=399)) => Some("check its base URL: it redirects"),
            (Outcome::Unreachable, _) => Some("check its base URL, and the network to it"),
            (Outcome::QuotaExhausted { .. }, _) => Some("check the bill of its account"),
            _ => None,
        }
    }
}
