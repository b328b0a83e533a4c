//! A stored answer in place of an attempt.

use std::time::Duration;

use tokio::time::Instant;

use super::{super::steps::mark, FallbackRun};
use crate::{
    Response, Upstream,
    context::StoredAnswer,
    telemetry::{EventKind, SkipReason},
};

// === impl FallbackRun ===

impl<S: Upstream> FallbackRun<S> {
    /// The stored answer, if there is one. A miss is no failure: what failed before is what the next fallback is asked for.
    pub(super) async fn stored(&self, at: usize, most: Duration) -> Option<Response> {
        let left = self.deadline.map(|deadline| deadline.left(Instant::now()));
        let found = match self.request.extensions().get::<StoredAnswer>() {
            Some(place) => place.find(most, left).await,
            None => None,
        };
        let fallback = &self.policy().fallbacks[at];
        let Some(mut response) = found else {
            self.skip(at, SkipReason::Missing);
            return None;
        };
        let name = fallback.name.clone();
        self.fallbacks
            .events
            .emit(EventKind::FallbackEntered { fallback: at as u16, name: name.clone() });
        mark(&mut response, fallback, &self.attempt_log);
        self.attempt_log.answered_by(name);
        Some(response)
    }
}
