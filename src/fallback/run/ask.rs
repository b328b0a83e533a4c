//! Sends a call to one fallback, and decides what its answer means for the call.

use super::{
    super::{
        eligibility::PreparedRequest,
        failure::{Failure, stops},
        race::{self, RaceResult},
        resume::Below,
    },
    FallbackRun, StepResult,
};
use crate::{
    Error, Response, Upstream,
    context::{AttemptContext, Suspected},
    error::judge,
};

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    /// Sends to one fallback, and to those below it if it is a breaker's probe and slow.
    pub(super) async fn step(
        &mut self,
        at: usize,
        mut ready: PreparedRequest,
        failure: Option<Failure>,
    ) -> StepResult {
        let result = match AttemptContext::of(&mut ready.request).probe_signal.clone() {
            Some(signal) => match race::run(self, at, ready, signal).await {
                RaceResult::Own(result) => result,
                RaceResult::Below(told) => return StepResult::Answered(told),
                RaceResult::Nobody(result, below) => {
                    self.asked = true;
                    return StepResult::Failed(Failure::after(failure, result, at).and(*below));
                }
            },
            None => self.fallbacks.ask(at, ready, &self.info).await,
        };
        let outcome = judge(&result).outcome();
        if Suspected::is_why(&result) {
            self.suspected.get_or_insert(at);
        }
        if outcome.is_success() {
            return StepResult::Answered(self.watched(at, result));
        }
        if stops(outcome, at) && !self.is_wanted(outcome, at) {
            return StepResult::Answered(result);
        }
        StepResult::Failed(Failure::after(failure, result, at))
    }

    /// Lets the fallbacks below continue an answer that fails while it is read, if the call wants that.
    fn watched(&mut self, at: usize, result: Result<Response, Error>) -> Result<Response, Error> {
        match Below::of(&self.fallbacks, &mut self.request, &self.info, at, self.limit) {
            Some(below) => result.map(|response| below.watch_over(response)),
            None => result,
        }
    }
}
