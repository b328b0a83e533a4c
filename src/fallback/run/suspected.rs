//! Tries a target whose route is under suspicion, after the others have failed.

use super::{BoxFuture, Failure, FallbackRun, StepResult};
use crate::{Upstream, context::AttemptContext};

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    /// Tries that target once, as if it were the only one. Without such a target, or without time for it, returns the failure so
    /// far.
    pub(super) fn ask_suspected(
        &mut self,
        failure: Option<Failure>,
    ) -> BoxFuture<'_, Option<StepResult>> {
        Box::pin(async move {
            let failure = failure?;
            let suspected = self.suspected.take().filter(|_| !self.late && self.has_time());
            let ready = suspected.and_then(|at| Some((at, self.prepare(at, Some(&failure)).ok()?)));
            let Some((at, mut ready)) = ready else { return Some(StepResult::Failed(failure)) };
            let attempt = AttemptContext::of(&mut ready.request);
            (attempt.elsewhere, attempt.insists, attempt.probe_signal) = (false, true, None);
            Some(self.step(at, ready, Some(failure)).await)
        })
    }
}
