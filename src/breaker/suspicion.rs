//! Whether calls that have another target are to ask that one first, before the breaker opens.

use std::time::Duration;

use crate::{
    breaker::{
        TransitionReason,
        decision_input::{CallerInfo, DecisionInput},
        failure_run::{ATTEMPTS, CALLS, CALLS_CHANCE, FailureRun, SUSPICION, shows_more_than},
        machine::{FEW, Machine, StateData},
        policy::Rule,
        window::Counts,
    },
    time::saturating_add,
};

// === impl Machine ===

impl Machine {
    /// Whether a call that has another target is to ask that one, and for how long: the failures in a row are suspicious, and
    /// not yet enough to refuse those who have no other. One call in two spans goes on to find out.
    pub(super) fn suspect(
        &mut self,
        at: DecisionInput<'_>,
        caller: CallerInfo,
    ) -> Option<Duration> {
        if !caller.elsewhere || !self.is_suspicious(at, caller) {
            return None;
        }
        let failed = self.failing.run.map(|run| run.last);
        let next =
            self.checked.max(failed).map(|last| saturating_add(last, 2 * at.policy.min_span));
        match next.filter(|next| *next > at.now) {
            Some(next) => Some(next.saturating_duration_since(at.now)),
            None if caller.extra => Some(at.policy.min_span),
            None => {
                self.checked = Some(at.now);
                None
            }
        }
    }

    /// Whether a run of failures, or the share of failing attempts, sends calls that have another target there first.
    pub(super) fn is_suspicious(&mut self, at: DecisionInput<'_>, caller: CallerInfo) -> bool {
        let of = |run: &FailureRun| {
            run.is_suspicious(at.policy, &self.failing.past, at.now, caller.sibling_troubled)
        };
        self.failing.run.as_ref().is_some_and(of) || self.loses_many(at)
    }

    /// Whether the breaker is open or suspicious because of failures.
    pub(super) fn is_troubled(&mut self, at: DecisionInput<'_>) -> bool {
        let other = [
            TransitionReason::Slow,
            TransitionReason::Exhausted,
            TransitionReason::Unauthorized,
            TransitionReason::ProbeSlow,
        ];
        match self.mode {
            StateData::Open { .. } | StateData::HalfOpen(_) => {
                self.opened_by.is_some_and(|why| !other.contains(&why))
            }
            StateData::Closed | StateData::Recovering(_) => {
                self.is_suspicious(at, CallerInfo::default())
            }
            StateData::ForcedOpen | StateData::ForcedClosed => false,
        }
    }

    /// Whether the share of failing attempts is too high for a call to start here, although retries still save most calls, or the
    /// share of failing calls is.
    fn loses_many(&mut self, at: DecisionInput<'_>) -> bool {
        let counts = self.window.sum(at.now);
        match at.policy.failure_ratio {
            Some(Rule::Improbable(share)) if counts.lost > 0 => {
                let Counts { lost, timed, failed, ended, .. } = counts;
                (timed >= at.policy.min_calls
                    && shows_more_than(ATTEMPTS * share, lost, timed, SUSPICION))
                    || (ended >= at.policy.min_calls.min(FEW)
                        && shows_more_than(CALLS * share, failed, ended, CALLS_CHANCE))
            }
            _ => false,
        }
    }
}
