//! Sends a call to one fallback, within the time that it has.

use std::sync::Arc;

use http::HeaderValue;
use tokio::time::{Instant, timeout_at};

use super::{
    Fallback, FallbackPolicy, eligibility::PreparedRequest, kind::Kind,
    recovery_queue::RecoveryQueue, to_stream::to_stream,
};
use crate::{
    Error, Request, Response, Upstream,
    context::{
        ATTEMPTS, AttemptContext, AttemptLog, CallContext, Destination, Route, Routes, SERVED_BY,
    },
    dialect::RequestInfo,
    latency::Latencies,
    outcome::{Outcome, Phase},
    provenance::Provenance,
    route_state::Slot,
    telemetry::{Degradation, EditSummary, EventKind, EventSink, UserCode},
};

/// The fallbacks over a service; one at a time is tried.
#[derive(Clone, Debug)]
pub(super) struct FallbackSteps<S> {
    pub(super) inner: S,
    pub(super) policy: Arc<FallbackPolicy>,
    pub(super) events: EventSink,
    pub(super) latencies: Latencies,
    pub(super) queues: RecoveryQueues,
    pub(super) memory: Provenance,
}

/// The queues of all routes in which calls wait for recovery.
#[derive(Clone, Debug)]
pub(super) struct RecoveryQueues(Slot<RecoveryQueue>);

// === impl RecoveryQueues ===

impl RecoveryQueues {
    pub(super) fn new(routes: &Routes) -> Self {
        Self(Slot::new(routes))
    }

    /// The queue of a route.
    pub(super) fn of(&self, route: &Route) -> RecoveryQueue {
        RecoveryQueue::clone(&self.0.find(route, Instant::now(), |_| RecoveryQueue::default()))
    }
}

// === impl FallbackSteps ===

impl<S: Upstream> FallbackSteps<S> {
    /// Sends the request to one fallback, within the time that it has.
    pub(super) async fn ask(
        &mut self,
        at: usize,
        prepared: PreparedRequest,
        info: &RequestInfo,
    ) -> Result<Response, Error> {
        let policy = self.policy.clone();
        let fallback = &policy.fallbacks[at];
        let PreparedRequest { mut request, edits } = prepared;
        let unstreamed = edits.unstreamed;
        let degraded = match fallback.kind {
            Kind::Canned(_) => Some(Degradation::Canned),
            _ => edits.changed.then_some(Degradation::Edited),
        };
        self.enter(at, edits);
        let attempt = AttemptContext::of(&mut request);
        (attempt.fallback_index, attempt.fallback_name) = (at as u16, Some(fallback.name.clone()));
        let attempt_log = CallContext::of(&mut request).attempt_log.clone();
        let mut response = self.answer(at, request, info).await?;
        if unstreamed && judge_success(&response) {
            response = self.streamed(response, info).await?;
        }
        if at > 0 || policy.detour {
            mark(&mut response, fallback, &attempt_log);
        }
        if judge_success(&response) {
            attempt_log.answered_by(fallback.name.clone(), degraded);
            if let Some(source) = fallback.source(at) {
                response.extensions_mut().insert(source);
            }
        }
        Ok(response)
    }

    /// The stream that the caller asked for, of a target that was asked for an answer in one piece.
    async fn streamed(&self, response: Response, info: &RequestInfo) -> Result<Response, Error> {
        let route = response.extensions().get().map(|to: &Destination| to.route.clone());
        let (response, converted) = to_stream(response, info).await?;
        if let Some(route) = route.filter(|_| converted) {
            self.events.emit(EventKind::AnswerConverted { route, stream: true });
        }
        Ok(response)
    }

    async fn answer(
        &mut self,
        at: usize,
        request: Request,
        info: &RequestInfo,
    ) -> Result<Response, Error> {
        let nobody = || Error::new(Outcome::NotSent { retry_in: None });
        match &self.policy.clone().fallbacks[at].kind {
            Kind::Canned(canned) => {
                let answer = || canned.answer(&request, info);
                self.events.guard(UserCode::Canned, answer).flatten().ok_or_else(nobody)
            }
            Kind::Addressed | Kind::Target(_) | Kind::TargetGroup(_) => {
                self.in_time(at, request).await
            }
            // Stored answers and waits are handled in `run`.
            Kind::Stored(_) | Kind::Wait => Err(nobody()),
        }
    }

    /// Emits which fallback is tried, and how its request was edited.
    fn enter(&self, at: usize, edited: EditSummary) {
        let (fallback, name) = (at as u16, self.policy.fallbacks[at].name.clone());
        self.events.emit(EventKind::FallbackEntered { fallback, name: name.clone() });
        if edited.changed {
            self.events.emit(EventKind::RequestEdited { fallback, name, edited });
        }
    }

    async fn in_time(&mut self, at: usize, mut request: Request) -> Result<Response, Error> {
        let last = AttemptContext::get(&request).is_some_and(|attempt| attempt.last_target);
        let call = CallContext::of(&mut request);
        let Some(deadline) = call.deadline else {
            return self.send(request).await;
        };
        let left = deadline.left(Instant::now());
        let mine = deadline.less(self.policy.reserve(at, left, !last));
        call.deadline = Some(mine);
        match timeout_at(mine.instant(), self.send(request)).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(Outcome::TimedOut { phase: Phase::Deadline })),
        }
    }

    pub(super) async fn send(&mut self, request: Request) -> Result<Response, Error> {
        std::future::poll_fn(|cx| self.inner.poll_ready(cx)).await?;
        self.inner.call(request).await
    }
}

/// Sets the headers that name the fallback and the number of attempts.
pub(super) fn mark(response: &mut Response, fallback: &Fallback, attempt_log: &AttemptLog) {
    response.headers_mut().insert(SERVED_BY, fallback.header());
    response.headers_mut().insert(ATTEMPTS, HeaderValue::from(attempt_log.sent()));
}

fn judge_success(response: &Response) -> bool {
    match response.extensions().get::<crate::outcome::Verdict>() {
        Some(verdict) => verdict.outcome().is_success(),
        None => response.status().is_success(),
    }
}
