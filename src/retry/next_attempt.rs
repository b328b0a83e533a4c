//! What follows an attempt of a call: another target, the same after a wait, or nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    context::RetryContext,
    decide::{Decision, RetryState},
    record::Destination,
    shared::Shared,
};
use crate::{
    Error, Response,
    context::Suspected,
    error::judge,
    outcome::{Outcome, Verdict},
    telemetry::{EventKind, StopReason, UserCode},
    time::saturating_add,
};

/// Where the next attempt of a call goes.
pub(super) enum NextAttempt {
    /// To another of the equal targets, at once.
    OtherTarget,
    /// To the same target after that wait, or to any of the equal ones.
    After(Duration),
}

// === impl NextAttempt ===

impl NextAttempt {
    pub(super) fn wait(&self) -> Duration {
        match self {
            Self::OtherTarget => Duration::ZERO,
            Self::After(wait) => *wait,
        }
    }
}

// === impl RetryContext ===

impl RetryContext {
    /// The next attempt after that result; `None` if there is none.
    pub(super) fn next_after(
        &mut self,
        retries: &mut RetryState,
        result: &Result<Response, Error>,
        at: &Destination,
    ) -> Option<NextAttempt> {
        let verdict = judge(result);
        self.round.sent(!matches!(verdict.outcome(), Outcome::NotSent { .. }));
        if self.pool.is_none() && Suspected::is_why(result) && retries.give_back() {
            at.budget.give_back();
        }
        if !self.may_repeat(&verdict) {
            let ended = verdict.outcome().is_success() || !verdict.outcome().may_differ();
            return if ended { None } else { self.stop(at, StopReason::Unsafe) };
        }
        let decision = match self.pool.as_ref().is_some_and(|pool| pool.has_another(self.round)) {
            true => {
                let left = self.record.left(Instant::now());
                retries.next_other(&verdict, &self.shared.policy, left)
            }
            false => {
                // All targets were tried. After the wait they are tried again.
                self.round = self.round.anew();
                self.next_here(retries, &verdict)
            }
        };
        self.carry_out(decision, &verdict, at)
    }

    /// Whether sending the call again has no more effects than sending it once. A key is only valid at one account.
    fn may_repeat(&self, verdict: &Verdict) -> bool {
        let one_account = self.pool.is_none() || self.effects.is_of_an_account();
        (self.keyed && one_account) || self.effects.may_follow(verdict)
    }

    /// Decides whether the same target is tried again.
    fn next_here(&self, retries: &mut RetryState, verdict: &Verdict) -> Decision {
        let Shared { policy, random, .. } = &*self.shared;
        let left = self.record.left(Instant::now());
        let decision = retries.next_same(verdict, policy, left, random.next());
        if retries.has_panicked() {
            self.shared.events.panicked(UserCode::Schedule);
        }
        decision
    }

    /// Carries out a decision within the budget. A token is taken last: a retry that is stopped for another reason spends none.
    fn carry_out(
        &self,
        decision: Decision,
        verdict: &Verdict,
        at: &Destination,
    ) -> Option<NextAttempt> {
        match decision {
            Decision::OtherTarget => Some(NextAttempt::OtherTarget),
            Decision::Again { wait, .. } if self.is_closed_after(wait) => {
                self.stop(at, StopReason::Breaker)
            }
            Decision::Again { wait, .. } if !self.has_bytes_after(wait) => {
                self.stop(at, StopReason::Resent)
            }
            // An attempt that this machine cannot send costs the provider nothing.
            Decision::Again { wait, hinted }
                if verdict.local_trouble().is_some() || at.budget.withdraw_retry() =>
            {
                self.record.emit(EventKind::RetryWaiting { route: at.route.clone(), wait, hinted });
                Some(NextAttempt::After(wait))
            }
            Decision::Again { .. } => self.stop(at, StopReason::Budget),
            Decision::Stop(why) => self.stop(at, why),
            Decision::Return => None,
        }
    }

    /// Takes a token for an attempt at an equal target, from its budget. `false` if none is left.
    pub(super) fn withdraw(&self, at: &Destination) -> bool {
        at.budget.withdraw() || self.stop(at, StopReason::Budget).is_some()
    }

    /// Whether the breaker would refuse a retry after `wait`; of equal targets, the breakers of all.
    fn is_closed_after(&self, wait: Duration) -> bool {
        let now = Instant::now();
        let closed = match &self.pool {
            Some(pool) => pool.closed(self.round, now),
            None => self.closed,
        };
        closed.is_some_and(|until| saturating_add(now, wait) < until)
    }

    fn stop(&self, at: &Destination, why: StopReason) -> Option<NextAttempt> {
        self.record.emit(EventKind::RetryStopped { route: at.route.clone(), reason: why });
        None
    }
}
