//! The state of one call across its attempts: plans, records and settles them.

use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    decide::RetryState,
    in_flight::{AttemptNumber, InFlightAttempt},
    record::{CallRecord, Destination, PlannedAttempt},
    shared::Shared,
};
use crate::{
    Error, Request, Response, Upstream,
    context::{
        AttemptContext, AttemptLog, CallContext, IDEMPOTENCY_KEY, ResendBudget, Route, Taken,
    },
    dialect::Effects,
    error::{FailedAttempt, judge},
    outcome::{Outcome, Phase},
    target::group::{EqualTargets, Pool, Tried},
    telemetry::EventKind,
};

/// The state that one call keeps across its attempts.
pub(super) struct RetryContext {
    pub(super) shared: Arc<Shared>,
    pub(super) record: CallRecord,
    /// With less time left no attempt is started.
    least: Option<Duration>,
    /// The equal targets, if the fallback has several, and which of them were tried.
    pub(super) pool: Option<Arc<Pool>>,
    pub(super) round: Tried,
    /// The last failed attempt of each route: they are settled with the call.
    failed: Vec<(Route, FailedAttempt)>,
    /// Until when the route of the last attempt lets no call through.
    pub(super) closed: Option<Instant>,
    pub(super) effects: Effects,
    /// The bytes that the call has sent again; `None` for a small body.
    resend: Option<ResendBudget>,
    /// The bytes of the last attempt.
    body: usize,
    /// Whether a key in the request lets the provider detect a repetition.
    pub(super) keyed: bool,
}

// === impl RetryContext ===

impl RetryContext {
    pub(super) fn new(shared: Arc<Shared>, request: &mut Request, least: Option<Duration>) -> Self {
        let effects = CallContext::info(request).effects();
        let pool = EqualTargets::of(request).map(|equals| equals.pool.clone());
        let AttemptContext { fallback_index: fallback, fallback_name: ref name, .. } =
            *AttemptContext::of(request);
        let name = name.clone();
        let (resend, body) = (CallContext::resend(request), request.body().len());
        let call = CallContext::of(request);
        Self {
            effects,
            resend,
            body,
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
        let mut equal = None;
        let mut request = match &self.pool {
            Some(pool) => {
                let copies = EqualTargets::copies(&own);
                let (mut request, picked) = pool.place(own, &mut self.round, copies.as_ref());
                equal = Some(picked.position());
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
        self.body = request.body().len();
        self.keyed = request.headers().contains_key(IDEMPOTENCY_KEY);
        let budget = self.shared.budgets.of_attempt(&mut request, now);
        let route = AttemptContext::route(&mut request);
        let provider = AttemptContext::provider_name(&mut request);
        let at = Destination { route, provider, budget, equal };
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
        let result = match self.take_bytes(now) {
            Ok(taken) => {
                let result = match poll_fn(|cx| service.poll_ready(cx)).await {
                    Ok(()) => service.call(request).await,
                    Err(error) => Err(error),
                };
                self.give_back_bytes(taken, &result);
                result
            }
            Err(error) => Err(error),
        };
        under_way.end(&result);
        Some(result)
    }

    /// Takes the bytes of an attempt that begins at `now`.
    fn take_bytes(&self, now: Instant) -> Result<Option<Taken>, Error> {
        let Some(resend) = &self.resend else { return Ok(None) };
        let taken = resend.take(self.body, self.shared.policy.resend_bytes, now);
        taken.map(Some).map_err(|wait| Error::new(Outcome::NotSent { retry_in: Some(wait) }))
    }

    /// Gives back the bytes of an attempt that no target received.
    fn give_back_bytes(&self, taken: Option<Taken>, result: &Result<Response, Error>) {
        let outcome = judge(result).outcome();
        let kept = !matches!(outcome, Outcome::NotSent { .. } | Outcome::Unreachable);
        if let (Some(resend), Some(taken), false) = (&self.resend, taken, kept) {
            resend.give_back(self.body, taken);
        }
    }

    /// Whether there are bytes left for a retry after `wait`.
    pub(super) fn has_bytes_after(&self, wait: Duration) -> bool {
        let may = |resend: &ResendBudget| resend.may_retry(self.body, wait, Instant::now());
        self.resend.as_ref().is_none_or(may)
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
