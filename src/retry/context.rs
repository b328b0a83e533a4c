//! The state of one call across its attempts: plans, records and settles them.

use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    decide::{Decision, RetryState},
    in_flight::{AttemptNumber, InFlightAttempt},
    record::{CallRecord, Destination, NextAttempt, PlannedAttempt},
    shared::Shared,
};
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, AttemptLog, CallContext, IDEMPOTENCY_KEY, Route, Suspected},
    dialect::Effects,
    error::{FailedAttempt, judge},
    outcome::{Outcome, Phase, Verdict},
    target::group::{EqualTargets, Pool, Tried},
    telemetry::{EventKind, StopReason, UserCode},
    time::saturating_add,
};

/// The state that one call keeps across its attempts.
pub(super) struct RetryContext {
    shared: Arc<Shared>,
    record: CallRecord,
    /// The least time left for which an attempt is started.
    least: Option<Duration>,
    /// The equal targets, if the fallback has several, and which of them were tried.
    pool: Option<Arc<Pool>>,
    round: Tried,
    /// The last failed attempt of each route: they are settled with the call.
    failed: Vec<(Route, FailedAttempt)>,
    /// Until when the route of the last attempt lets no call through.
    closed: Option<Instant>,
    effects: Effects,
    /// Whether a key in the request lets the provider detect a repetition.
    keyed: bool,
}

// === impl RetryContext ===

impl RetryContext {
    pub(super) fn new(shared: Arc<Shared>, request: &mut Request, least: Option<Duration>) -> Self {
        let effects = CallContext::info(request).effects();
        let pool = EqualTargets::of(request).map(|equals| equals.pool.clone());
        let AttemptContext { fallback_index: fallback, fallback_name: ref name, .. } =
            *AttemptContext::of(request);
        let name = name.clone();
        let call = CallContext::of(request);
        Self {
            effects,
            keyed: false,
            record: CallRecord {
                events: shared.events.clone(),
                attempt_log: call.attempt_log.clone(),
                deadline: call.deadline,
                fallback,
                name,
            },
            least,
            pool,
            round: Tried::default(),
            failed: Vec::new(),
            closed: None,
            shared,
        }
    }

    /// Plans the next attempt, which starts at `now`: to the request's target, or to an equal one.
    pub(super) fn plan_attempt(
        &mut self,
        own: Request,
        retries: &RetryState,
        now: Instant,
    ) -> PlannedAttempt {
        let spare = self.may_follow(retries, now).then(|| own.clone());
        let mut request = match &self.pool {
            Some(pool) => {
                let copies = EqualTargets::copies(&own);
                let (mut request, picked) = pool.place(own, &mut self.round, copies.as_ref());
                if let Some(equals) = EqualTargets::of_mut(&mut request) {
                    equals.picked = Some(picked);
                }
                request
            }
            None => own,
        };
        if self.pool.as_ref().is_some_and(|pool| pool.has_another(self.round)) {
            AttemptContext::of(&mut request).last_target = false;
        }
        self.keyed = request.headers().contains_key(IDEMPOTENCY_KEY);
        let budget = self.shared.budgets.of_attempt(&mut request, now);
        let at = Destination { budget, route: AttemptContext::route(&mut request) };
        PlannedAttempt { request, spare, at }
    }

    pub(super) fn is_pooled(&self) -> bool {
        self.pool.is_some()
    }

    fn may_follow(&self, retries: &RetryState, now: Instant) -> bool {
        // A target that refuses passes the attempt on to its equals, whatever else is used up.
        self.pool.is_some() || retries.possible(&self.shared.policy, self.record.left(now))
    }

    /// Makes one attempt, from `now`. Returns `None` without enough time for it: no request is sent, and no event is emitted.
    pub(super) async fn attempt<S: Upstream>(
        &self,
        service: &mut S,
        mut request: Request,
        at: &Destination,
        step: AttemptNumber,
        now: Instant,
    ) -> Option<Result<Response, Error>> {
        let least = self.least.unwrap_or_default();
        if self.record.left(now).is_some_and(|left| left.is_zero() || left < least) {
            return None;
        }
        let context = AttemptContext::of(&mut request);
        (context.deferred, context.extra) = (true, step.extra);
        let under_way = InFlightAttempt::start(&self.record, at, step, now);
        let result = match poll_fn(|cx| service.poll_ready(cx)).await {
            Ok(()) => service.call(request).await,
            Err(error) => Err(error),
        };
        under_way.end(judge(&result));
        Some(result)
    }

    /// Takes the failed attempt out of a result, to be settled with the call: one for each route. An answer from the route
    /// settles it at once.
    pub(super) fn settle(&mut self, result: &mut Result<Response, Error>, at: &Destination) {
        let failed = FailedAttempt::take(result);
        self.closed = failed.as_ref().and_then(FailedAttempt::until);
        if failed.is_none() && !judge(result).outcome().is_success() {
            return;
        }
        let earlier = self.failed.iter().position(|(route, _)| *route == at.route);
        if let Some(earlier) = earlier {
            self.failed.swap_remove(earlier).1.forgive();
        }
        self.failed.extend(failed.map(|failed| (at.route.clone(), failed)));
    }

    /// The error of a call without any time left.
    pub(super) fn deadline_error(&self) -> Result<Response, Error> {
        let phase = Phase::Deadline;
        self.record.emit(EventKind::TimedOut { phase, after: Duration::ZERO });
        Err(Error::new(Outcome::TimedOut { phase }))
    }

    /// The wait before the next attempt; `None` if there is none. Zero if it goes to an equal target.
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

    /// Returns the result of the last attempt, with the attempt log added.
    pub(super) fn finish(&self, result: Result<Response, Error>) -> Result<Response, Error> {
        let mut response =
            result.map_err(|error| error.with_attempt_log(&self.record.attempt_log))?;
        if response.extensions().get::<AttemptLog>().is_none() {
            response.extensions_mut().insert(self.record.attempt_log.clone());
        }
        Ok(response)
    }
}
