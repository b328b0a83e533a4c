//! One call and its limits: waits for a permit, and reports what came of the attempt.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::{
    adaptive::AnswerForm,
    enter::EnterRequest,
    headers,
    limits::Limits,
    queued_call::QueuedCall,
    request_size::RequestSize,
    route_limiter::{Permit, RouteLimiter},
    state::{DecisionInput, Feedback},
};
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, CallContext, Deadline, Priority, QueueTime, Route},
    dialect::UsageHandle,
    error::judge,
    outcome::Outcome,
    stream::FirstContentAt,
    telemetry::EventKind,
};

/// The state that one call needs of its limits.
pub(super) struct LimitContext {
    pub(super) limits: Limits,
    pub(super) limiter: Arc<RouteLimiter>,
    pub(super) route: Route,
    pub(super) size: RequestSize,
    pub(super) form: AnswerForm,
}

/// A call that waits, and its expected wait.
pub(super) struct Wait {
    pub(super) call: QueuedCall,
    pub(super) expected: Duration,
}

/// The stay of an attempt in the queue. Reports its end when it is dropped.
struct QueueStay<'a> {
    context: &'a LimitContext,
    priority: Priority,
    since: Instant,
    admitted: bool,
}

// === impl LimitContext ===

impl LimitContext {
    /// Sends a request after a wait.
    pub(super) async fn send<S: Upstream>(
        self,
        mut inner: S,
        mut request: Request,
        wait: Wait,
    ) -> Result<Response, Error> {
        let permit = self.wait(&mut request, wait).await?;
        let mut result = inner.call(request).await;
        self.report(permit, &mut result);
        result
    }

    /// Waits for a permit.
    async fn wait(&self, request: &mut Request, wait: Wait) -> Result<Permit, Error> {
        let Wait { call: queued, expected } = wait;
        let route = self.route.clone();
        let priority = request.extensions().get::<Priority>().copied().unwrap_or_default();
        self.limits.emit(EventKind::LimitQueued { route, priority, expected });
        let mut stay =
            QueueStay { context: self, priority, since: Instant::now(), admitted: false };
        let attempt = AttemptContext::of(request);
        let admission = attempt.admission.clone();
        if let Some(admission) = &admission {
            admission.waits();
        }
        let waiting = attempt.queue_time.as_ref().map(QueueTime::enter);
        let permit = queued.await.map_err(|retry_in| self.refuse(retry_in))?;
        drop(waiting);
        // The breaker may have closed the route meanwhile.
        match admission.map_or(Ok(()), |admission| admission.goes_on(Instant::now())) {
            Ok(()) => {
                stay.admitted = true;
                Ok(permit)
            }
            Err(retry_in) => {
                permit.decide(|state, grant| state.on_not_sent(grant));
                Err(self.refuse(retry_in))
            }
        }
    }

    pub(super) fn enter_request(&self, request: &mut Request) -> EnterRequest {
        let info = CallContext::info(request);
        let priority = request.extensions().get::<Priority>().copied().unwrap_or_default();
        let cost = self.limiter.decide(|state| state.estimate(self.size, &info, priority));
        let probe = AttemptContext::get(request).is_some_and(|attempt| attempt.probe);
        let deadline = CallContext::deadline(request).map(Deadline::instant);
        // A probe of the breaker does not wait: all calls that wait for its result would wait too.
        EnterRequest { priority, cost, deadline, may_queue: !probe }
    }

    pub(super) fn refuse(&self, retry_in: Duration) -> Error {
        self.limits.emit(EventKind::LimitRefused { route: self.route.clone(), retry_in });
        Error::new(Outcome::NotSent { retry_in: Some(retry_in) })
    }

    /// Records the result of an attempt. Holds the permit until the body has ended.
    pub(super) fn report(&self, permit: Permit, result: &mut Result<Response, Error>) {
        let outcome = judge(result).outcome();
        if let Some(lasts) = self.give_feedback(&permit, result, outcome) {
            self.limits.emit(EventKind::LimitClosed { route: self.route.clone(), lasts });
        }
        let Ok(response) = result else { return };
        let (size, usage) = (self.size, response.extensions().get::<UsageHandle>().cloned());
        response.body_mut().on_end(move |_| {
            if outcome.is_success() {
                let tokens = usage.and_then(|usage| usage.get());
                permit.decide(|state, grant| state.on_usage(grant, size, tokens));
            }
        });
    }

    /// Returns for how long the result of an attempt closes the route, if that is new.
    fn give_feedback(
        &self,
        permit: &Permit,
        result: &Result<Response, Error>,
        outcome: Outcome,
    ) -> Option<Duration> {
        let response = result.as_ref().ok();
        let first_event = response.and_then(|answer| answer.extensions().get::<FirstContentAt>());
        let input = DecisionInput::draw();
        let first_event_at = first_event.map_or(input.now, |first_event| first_event.0);
        // A report or a rate limit applies to one of the credentials that share a route, not to the others.
        let (limits, outcome) = match (response, outcome) {
            (_, Outcome::RateLimited { .. }) if permit.is_shared() => {
                (Vec::new(), Outcome::NotSent { retry_in: None })
            }
            (Some(response), _) if !permit.is_shared() => {
                (headers::read(response.headers(), SystemTime::now), outcome)
            }
            _ => (Vec::new(), outcome),
        };
        permit.decide(|state, grant| {
            state.on_headers(grant, &limits, input.now);
            state.on_outcome(grant, Feedback { outcome, first_event_at, form: self.form }, input)
        })
    }
}

// === impl QueueStay ===

impl Drop for QueueStay<'_> {
    fn drop(&mut self) {
        let Self { context, priority, since, admitted } = *self;
        let (route, waited) = (context.route.clone(), since.elapsed());
        context.limits.emit(EventKind::LimitWaited { route, priority, waited, admitted });
    }
}
