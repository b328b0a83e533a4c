//! The service behind the limits.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::Service;

use super::{
    adaptive::AnswerForm,
    enter::{EnterRequest, EnterResult},
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
    upstream::{ResponseFuture, take_ready},
};

/// A service behind the limits of each route. Created by [`LimitLayer`](super::LimitLayer).
#[derive(Clone, Debug)]
pub struct Limit<S> {
    pub(super) inner: S,
    pub(super) limits: Limits,
}

pin_project! {
    /// The response future of [`Limit`].
    pub struct LimitFuture<F> {
        #[pin]
        state: LimitFutureState<F>,
    }
}

pin_project! {
    #[project = LimitFutureStateProj]
    enum LimitFutureState<F> {
        Sent {
            #[pin]
            inner: F,
            // Taken when the inner future is ready.
            admitted: Option<AdmittedCall>,
        },
        Queued { response: ResponseFuture },
        Refused { error: Option<Error> },
    }
}

/// The state that one call needs of its limits.
struct LimitContext {
    limits: Limits,
    limiter: Arc<RouteLimiter>,
    route: Route,
    size: RequestSize,
    form: AnswerForm,
}

/// A call that was admitted without a wait.
struct AdmittedCall {
    context: LimitContext,
    permit: Permit,
}

/// A call that waits, and its expected wait.
struct Wait {
    call: QueuedCall,
    expected: Duration,
}

// === impl Limit ===

impl<S: Upstream> Service<Request> for Limit<S> {
    type Response = Response;
    type Error = Error;
    type Future = LimitFuture<S::Call>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let now = Instant::now();
        let at = AttemptContext::state(&mut request, self.limits.routes(), now);
        let (limiter, route) = (self.limits.limiter(&at, now), at.route().clone());
        let info = CallContext::info(&mut request);
        let size = match limiter.needs_estimates() {
            true => RequestSize::measure(&request, &info),
            false => RequestSize::unmeasured(&info),
        };
        let form = if info.stream() { AnswerForm::Stream } else { AnswerForm::Unary };
        let context = LimitContext { limits: self.limits.clone(), limiter, route, size, form };
        let enter = context.enter_request(&mut request);
        let input = DecisionInput { now, random: fastrand::f64() };
        let state = match context.limiter.enter(enter, input) {
            EnterResult::Admitted(permit) => {
                let admitted = Some(AdmittedCall { context, permit });
                LimitFutureState::Sent { inner: self.inner.call(request), admitted }
            }
            EnterResult::Refused { retry_in } => {
                LimitFutureState::Refused { error: Some(context.refuse(retry_in)) }
            }
            EnterResult::Queued { call, expected } => {
                let inner = take_ready(&mut self.inner);
                let response = Box::pin(context.send(inner, request, Wait { call, expected }));
                LimitFutureState::Queued { response }
            }
        };
        LimitFuture { state }
    }
}

// === impl LimitFuture ===

impl<F: Future<Output = Result<Response, Error>>> Future for LimitFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            LimitFutureStateProj::Sent { inner, admitted } => {
                let mut result = ready!(inner.poll(cx));
                if let Some(AdmittedCall { context, permit }) = admitted.take() {
                    context.report(permit, &mut result);
                }
                Poll::Ready(result)
            }
            LimitFutureStateProj::Queued { response } => response.as_mut().poll(cx),
            LimitFutureStateProj::Refused { error } => {
                Poll::Ready(Err(error.take().expect("a future is not polled after it was ready")))
            }
        }
    }
}

impl<F> fmt::Debug for LimitFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitFuture").finish_non_exhaustive()
    }
}

// === impl LimitContext ===

impl LimitContext {
    /// Sends a request after a wait.
    async fn send<S: Upstream>(
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
        self.limits.emit(EventKind::LimitQueued { route, expected });
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
            Ok(()) => Ok(permit),
            Err(retry_in) => {
                permit.decide(|state, grant| state.on_not_sent(grant));
                Err(self.refuse(retry_in))
            }
        }
    }

    fn enter_request(&self, request: &mut Request) -> EnterRequest {
        let info = CallContext::info(request);
        let priority = request.extensions().get::<Priority>().copied().unwrap_or_default();
        let cost = self.limiter.decide(|state| state.estimate(self.size, &info, priority));
        let probe = AttemptContext::get(request).is_some_and(|attempt| attempt.probe);
        let deadline = CallContext::deadline(request).map(Deadline::instant);
        // A probe of the breaker does not wait: all calls that wait for its result would wait too.
        EnterRequest { priority, cost, deadline, may_queue: !probe }
    }

    fn refuse(&self, retry_in: Duration) -> Error {
        self.limits.emit(EventKind::LimitRefused { route: self.route.clone(), retry_in });
        Error::new(Outcome::NotSent { retry_in: Some(retry_in) })
    }

    /// Records the result of an attempt. Holds the permit until the body has ended.
    fn report(&self, permit: Permit, result: &mut Result<Response, Error>) {
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
