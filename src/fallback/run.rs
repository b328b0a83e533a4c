//! One call on its way through the fallbacks.

mod ask;
mod below;
mod stored;
mod suspected;

use std::{future::Future, ops::Range, pin::Pin, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    eligibility::PreparedRequest, failure::Failure, kind::Kind, policy::FallbackPolicy,
    steps::FallbackSteps,
};
use crate::{
    Error, Request, Response, Upstream,
    context::{AttemptContext, AttemptLog, CallContext, Deadline, LocalAnswersOnly, ResendBudget},
    dialect::RequestInfo,
    outcome::{Outcome, Phase},
    provenance::Maker,
    telemetry::SkipReason,
};

/// One call on its way through the fallbacks. A clone is the same call, for another part of the fallbacks.
#[derive(Clone)]
pub(super) struct FallbackRun<S> {
    fallbacks: FallbackSteps<S>,
    info: Arc<RequestInfo>,
    /// The request as the caller made it.
    request: Request,
    attempt_log: AttemptLog,
    deadline: Option<Deadline>,
    /// The time that the call had for its answer at the start.
    limit: Option<Duration>,
    /// With less time left no target is tried.
    least: Option<Duration>,
    once: bool,
    /// The bytes that the call has sent again; `None` for a small body.
    pub(super) resend: Option<ResendBudget>,
    /// No target is tried any more: only local answers are of use.
    late: bool,
    /// Runs concurrently with a probe: stored answers and canned replies take no part.
    beside: bool,
    /// The remaining targets were tried during the race with a probe.
    asked: bool,
    /// The first target that was skipped because its route is under suspicion: it is tried after the others.
    suspected: Option<usize>,
    /// The makers of answers at the call's own first target, once another target is tried.
    home: Option<Arc<[Maker]>>,
}

/// The result of a range of fallbacks.
pub(super) enum StepResult {
    /// An answer, or a failure that goes to the caller.
    Answered(Result<Response, Error>),
    /// Every fallback failed.
    Failed(Failure),
}

pub(super) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    pub(super) fn new(mut fallbacks: FallbackSteps<S>, mut request: Request) -> Self {
        if let Some(own) = fallbacks.policy.of_call(request.extensions()) {
            fallbacks.policy = own;
        }
        let info = fallbacks.policy.info(&mut request);
        let home = fallbacks.detour(&request, &info);
        let late = request.extensions().get::<LocalAnswersOnly>().is_some();
        let resend = CallContext::resend(&mut request);
        let call = CallContext::of(&mut request);
        let (attempt_log, deadline) = (call.attempt_log.clone(), call.deadline);
        let once = call.non_replayable;
        let limit = deadline.map(|deadline| deadline.left(Instant::now()));
        let least = limit.map(|limit| fallbacks.policy.least_attempt(limit));
        call.min_attempt_time = least;
        if fallbacks.policy.asks_again() {
            call.budget.get_or_insert_default();
        }
        Self {
            fallbacks,
            info,
            request,
            attempt_log,
            deadline,
            limit,
            least,
            once,
            resend,
            late,
            beside: false,
            asked: false,
            suspected: None,
            home,
        }
    }

    /// Runs all fallbacks.
    pub(super) async fn run(mut self) -> Result<Response, Error> {
        let to = self.policy().fallbacks.len();
        let late = self.late.then(|| Failure::of(Outcome::TimedOut { phase: Phase::Deadline }, 0));
        match self.run_range(0..to, late).await {
            StepResult::Answered(result) => result,
            StepResult::Failed(failure) => {
                // Without any time, no target was asked.
                if !self.late {
                    self.attempt_log.set_all_failed();
                }
                failure.first
            }
        }
    }

    /// Runs the fallbacks from `from` to the last.
    pub(super) fn run_from(
        &mut self,
        from: usize,
        failure: Option<Failure>,
    ) -> BoxFuture<'_, StepResult> {
        let to = self.policy().fallbacks.len();
        self.run_range_boxed(from..to, failure)
    }

    /// Boxed, since a fallback that waits runs the same range again.
    pub(super) fn run_range_boxed(
        &mut self,
        way: Range<usize>,
        failure: Option<Failure>,
    ) -> BoxFuture<'_, StepResult> {
        Box::pin(self.run_range(way, failure))
    }

    async fn run_range(&mut self, way: Range<usize>, mut failure: Option<Failure>) -> StepResult {
        let policy = self.policy().clone();
        for at in way {
            let fallback = &policy.fallbacks[at];
            if !fallback.asks() {
                match self.ask_suspected(failure).await {
                    Some(StepResult::Answered(result)) => return StepResult::Answered(result),
                    Some(StepResult::Failed(failed)) => failure = Some(failed),
                    None => failure = None,
                }
            }
            if (self.beside && !fallback.asks()) || (self.asked && fallback.asks()) {
                continue;
            }
            if self.late && !fallback.is_instant() {
                self.skip(at, SkipReason::Deadline);
                continue;
            }
            // The first fallback is tried whatever it offers, unless another takes the call.
            if at > 0 {
                if let Err(why) = self.fits(at, failure.as_ref()) {
                    self.skip(at, why);
                    continue;
                }
            }
            if let Kind::Stored(most) = fallback.kind {
                match self.stored(at, most).await {
                    Some(response) => return StepResult::Answered(Ok(response)),
                    None => continue,
                }
            }
            let end = match (&fallback.kind, failure.take()) {
                (Kind::Wait, Some(failed)) => self.wait(at, failed).await,
                (_, failed) => match self.prepare(at, failed.as_ref()) {
                    Ok(ready) => self.step(at, ready, failed).await,
                    Err(why) => {
                        self.skip(at, why);
                        failure = failed;
                        continue;
                    }
                },
            };
            match end {
                StepResult::Answered(result) => return StepResult::Answered(result),
                StepResult::Failed(failed) => failure = Some(failed),
            }
        }
        match self.ask_suspected(failure).await {
            Some(end) => end,
            // No fallback takes the call: send it to the first all the same, so that its provider reports why.
            None => {
                let request = policy.fallbacks[0].request(self.request(), &self.info);
                let ready = PreparedRequest::unedited(request);
                self.step(0, ready, None).await
            }
        }
    }

    /// The request for a fallback, or why it is skipped.
    fn prepare(
        &mut self,
        at: usize,
        failure: Option<&Failure>,
    ) -> Result<PreparedRequest, SkipReason> {
        let policy = self.policy().clone();
        let failed = failure.filter(|_| policy.fallbacks[0].is_plain()).map(|failure| failure.last);
        let home = self.home(at);
        let request = self.request_for(at);
        let mut ready = policy.fallbacks[at].prepare(request, &self.info, failed)?;
        AttemptContext::of(&mut ready.request).home = home;
        self.place(at, &mut ready.request);
        Ok(ready)
    }

    pub(super) fn policy(&self) -> &Arc<FallbackPolicy> {
        &self.fallbacks.policy
    }

    pub(super) fn steps(&self) -> &FallbackSteps<S> {
        &self.fallbacks
    }

    pub(super) fn request(&self) -> Request {
        self.request.clone()
    }

    /// The last fallback needs no copy, unless another may be tried after it, or one of its equal targets again.
    fn request_for(&mut self, at: usize) -> Request {
        let fallbacks = &self.policy().fallbacks;
        let again =
            fallbacks[0].may_pass() || self.suspected.is_some() || fallbacks[at].has_equals();
        match at + 1 == fallbacks.len() && !again {
            true => std::mem::take(&mut self.request),
            false => self.request(),
        }
    }

    pub(super) fn info(&self) -> &Arc<RequestInfo> {
        &self.info
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    pub(super) fn attempt_log(&self) -> &AttemptLog {
        &self.attempt_log
    }
}
