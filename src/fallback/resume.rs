//! Continues a stream that failed while it was read, at a fallback below.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use http::header::CONTENT_LENGTH;
use tokio::time::{Instant, timeout_at};

use super::{Fallback, FallbackPolicy, steps::FallbackSteps};
use crate::{
    Body, Request, Response, Upstream,
    coding::Codings,
    context::{AttemptContext, CallContext, Deadline},
    dialect::{Dialect, RequestInfo, StreamMonitor, UsageHandle},
    error::judge,
    outcome::{ErrorCodeTable, Outcome},
    stream::StreamDeadline,
    stream::{
        Continuation, ContinuationFuture, MidStreamFailure, ResumeParts, Resumed, decode_response,
    },
    target::measured,
    telemetry::{Degradation, EventKind, SkipReason, SpanHandle},
};

/// The fallbacks that are left for a call whose answer is being read.
pub(super) struct Below<S> {
    fallbacks: FallbackSteps<S>,
    request: Request,
    info: Arc<RequestInfo>,
    /// The fallback that is tried next: each is tried at most once.
    next: usize,
    /// The time limit of the call, which each fallback that continues the answer has again.
    limit: Option<Duration>,
    bound: Option<StreamDeadline>,
    /// A body may be read outside of the span of its call.
    scope: SpanHandle,
}

// === impl Below ===

impl<S: Upstream> Below<S> {
    /// The fallbacks below `at`, if the call wants its stream to be continued and any of them can do it.
    pub(super) fn of(
        fallbacks: &FallbackSteps<S>,
        request: &mut Request,
        info: &Arc<RequestInfo>,
        at: usize,
        limit: Option<Duration>,
    ) -> Option<Self> {
        let set = request.extensions().get::<MidStreamFailure>().copied();
        let wanted = set.unwrap_or(fallbacks.policy.resume) == MidStreamFailure::Continue;
        let next = at + 1;
        let policy = &fallbacks.policy;
        let able = || (next..policy.fallbacks.len()).any(|at| goes_on(policy, at, info));
        let known = info.stream() && info.dialect().is_some_and(|dialect| dialect.takes_prefill());
        if !wanted || !known || CallContext::of(request).non_replayable || !able() {
            return None;
        }
        let (fallbacks, request, info) = (fallbacks.clone(), request.clone(), info.clone());
        Some(Self {
            fallbacks,
            request,
            info,
            next,
            limit,
            bound: None,
            scope: SpanHandle::current(),
        })
    }

    /// Wraps the body of an answer that has begun, so that those below continue it if it fails.
    pub(super) fn watch_over(mut self, mut response: Response) -> Response {
        let attempt_log = CallContext::of(&mut self.request).attempt_log.clone();
        let (Some(dialect), true) = (self.info.dialect(), is_open(&mut response)) else {
            return response;
        };
        // Another answer may follow in the same body.
        response = plain(response, dialect);
        self.bound = response.extensions().get().copied();
        let (usage, whole) = (UsageHandle::default(), Arc::new(AtomicBool::new(false)));
        response.extensions_mut().insert(usage.clone());
        // It is the length of the first answer.
        response.headers_mut().remove(CONTENT_LENGTH);
        let start =
            ResumeParts { dialect, attempt_log: attempt_log.clone(), usage, whole: whole.clone() };
        response.map(|body| {
            let mut body = Body::wrap(Resumed::new(body, Box::new(self), start));
            body.guarded().whole(whole);
            body.guarded().attempt_log(attempt_log);
            body
        })
    }

    /// The request to a fallback for what follows `said`; `None` if the fallback cannot continue the answer.
    fn request(&self, fallback: &Fallback, said: &str) -> Option<Request> {
        let mut request = self.request.clone();
        if fallback.is_instant() {
            return None;
        }
        // With `said` empty, the fallback sends the whole answer.
        if !said.is_empty() {
            let prefilled =
                self.info.dialect()?.with_prefill(&mut request, said, fallback.prefill()?);
            if !prefilled {
                return None;
            }
            measured(&mut request);
        }
        let prepared = fallback.prepare(request, &self.info, None).ok()?;
        // An answer in one piece cannot continue a stream.
        (!prepared.edits.unstreamed).then_some(prepared.request)
    }

    async fn ask(&mut self, at: usize, mut request: Request) -> Option<Response> {
        let fallback = &self.fallbacks.policy.clone().fallbacks[at];
        let name = fallback.name.clone();
        self.fallbacks
            .events
            .emit(EventKind::FallbackEntered { fallback: at as u16, name: name.clone() });
        let deadline = self.limit.map(Deadline::within);
        let home = self.fallbacks.policy.home(&self.request, &self.info);
        let attempt = AttemptContext::of(&mut request);
        attempt.home = Some(home);
        (attempt.fallback_index, attempt.fallback_name) = (at as u16, Some(name));
        CallContext::of(&mut request).deadline = deadline;
        match self.bound {
            Some(bound) => drop(request.extensions_mut().insert(bound)),
            None => drop(request.extensions_mut().remove::<StreamDeadline>()),
        }
        let sent = self.fallbacks.send(request);
        let result = match deadline {
            Some(deadline) => timeout_at(deadline.instant(), sent).await.ok()?,
            None => sent.await,
        };
        let success = judge(&result).outcome().is_success();
        result.ok().filter(|_| success)
    }

    async fn descend(
        mut self: Box<Self>,
        said: Box<str>,
        why: Outcome,
    ) -> Option<(Box<dyn Continuation>, Body)> {
        let policy = self.fallbacks.policy.clone();
        while let Some(fallback) = policy.fallbacks.get(self.next) {
            let (at, name) = (self.next, fallback.name.clone());
            self.next += 1;
            let events = self.fallbacks.events.clone();
            let late = self.bound.is_some_and(|bound| bound.0 <= Instant::now());
            let stays = policy.may_go(at, &self.info).is_err();
            let request = self.request(fallback, &said).filter(|_| !late && !stays);
            let Some(request) = request else {
                let why = match (late, stays) {
                    (true, _) => SkipReason::Deadline,
                    (_, true) => SkipReason::Bound,
                    _ => SkipReason::Capability,
                };
                events.emit(EventKind::FallbackSkipped { fallback: at as u16, name, reason: why });
                continue;
            };
            let Some(mut response) = self.ask(at, request).await else { continue };
            if is_watched(&mut response) {
                let attempt_log = CallContext::of(&mut self.request).attempt_log.clone();
                attempt_log.answered_by(name.clone(), Some(Degradation::Resumed));
                events.emit(EventKind::Resumed { fallback: at as u16, name, after: why });
                let body = match self.info.dialect() {
                    Some(dialect) => plain(response, dialect).into_body(),
                    None => response.into_body(),
                };
                return Some((self, body));
            }
        }
        None
    }
}

impl<S: Upstream> Continuation for Below<S> {
    fn continue_after(self: Box<Self>, said: Box<str>, why: Outcome) -> ContinuationFuture {
        let scope = self.scope.clone();
        Box::pin(scope.around(self.descend(said, why)))
    }
}

/// A stream without its content codings, parsed in its dialect.
fn plain(response: Response, dialect: Dialect) -> Response {
    if Codings::of(response.headers()) == Codings::Plain {
        return response;
    }
    let mut response = decode_response(response);
    // The layers below have classified its errors.
    let watch = StreamMonitor::new(dialect, &ErrorCodeTable::default());
    response.body_mut().guarded().watch(watch);
    response
}

/// Whether the fallback at `at` can continue the answer to a call.
fn goes_on(policy: &FallbackPolicy, at: usize, info: &RequestInfo) -> bool {
    let may_go = info.effects().repeats() && policy.may_go(at, info).is_ok();
    may_go && policy.fallbacks[at].prefill().is_some()
}

/// Whether an answer is a stream whose dialect is known.
fn is_watched(response: &mut Response) -> bool {
    response.body_mut().guard().is_some_and(|guard| guard.watched().is_some())
}

/// Whether it is such a stream, and not complete yet.
fn is_open(response: &mut Response) -> bool {
    let guard = response.body_mut().guard();
    guard.is_some_and(|guard| guard.watched().is_some() && guard.outcome() == Outcome::Truncated)
}
