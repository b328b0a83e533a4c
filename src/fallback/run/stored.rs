//! A stored answer as a fallback.

use std::time::Duration;

use tokio::time::Instant;

use super::{super::steps::mark, FallbackRun};
use crate::{
    Response, Upstream,
    context::StoredAnswer,
    telemetry::{AnswerSource, EventKind, SkipReason},
};

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    /// The stored answer, if there is one. A miss is not a failure: the next fallback gets the failure from before.
    pub(super) async fn stored(&self, at: usize, most: Duration) -> Option<Response> {
        let left = self.deadline.map(|deadline| deadline.left(Instant::now()));
        let found = match self.request.extensions().get::<StoredAnswer>() {
            Some(place) => place.find(most, left).await,
            None => None,
        };
        let fallback = &self.policy().fallbacks[at];
        let Some((mut response, degraded)) = found else {
            self.skip(at, SkipReason::Missing);
            return None;
        };
        let name = fallback.name.clone();
        self.fallbacks
            .events
            .emit(EventKind::FallbackEntered { fallback: at as u16, name: name.clone() });
        mark(&mut response, fallback, &self.attempt_log);
        self.attempt_log.answered_by(name, Some(degraded));
        response.extensions_mut().insert(AnswerSource::Stored);
        Some(response)
    }
}
