//! What else calls have to have in common to share an attempt, and which of them may wait for another's.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{
    Request,
    context::{CallContext, Deadline, Fallbacks, Priority},
    stream::{CommitPolicy, MidStreamFailure},
};

/// What a call wishes of its answer for itself alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::cache) struct CallSettings {
    commit: Option<CommitPolicy>,
    resume: Option<MidStreamFailure>,
}

/// How a call waits: until when, and who goes before it.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache) struct WaitTerms {
    pub(super) deadline: Option<Deadline>,
    pub(super) priority: Priority,
}

/// Kept for an answer that is made here, which takes no time; of a short time no more than a tenth.
const INSTANT: Duration = Duration::from_millis(20);

// === impl CallSettings ===

impl CallSettings {
    /// `None` for a call that brings fallbacks of its own: nobody else is to be answered by them, nor it by fewer.
    pub(in crate::cache) fn of(request: &mut Request) -> Option<Self> {
        let extensions = request.extensions();
        let (commit, resume) = (extensions.get().copied(), extensions.get().copied());
        extensions.get::<Fallbacks>().is_none().then_some(Self { commit, resume })
    }
}

// === impl WaitTerms ===

impl WaitTerms {
    pub(in crate::cache) fn of(request: &mut Request) -> Self {
        let priority = request.extensions().get().copied().unwrap_or_default();
        Self { deadline: CallContext::deadline(request), priority }
    }

    /// What comes before it is too late for this call; `None` where nothing does.
    pub(in crate::cache) async fn in_time<T>(self, work: impl Future<Output = T>) -> Option<T> {
        let Some(deadline) = self.deadline else { return Some(work.await) };
        let kept = INSTANT.min(deadline.left(Instant::now()) / 10);
        timeout_at(deadline.less(kept).instant(), work).await.ok()
    }

    /// Whether an attempt that was begun for a call like this may be waited for by the other: it has at least half the
    /// time, and waits in no line in which the other would stand further in front.
    pub(super) fn serves(self, other: Self) -> bool {
        let now = Instant::now();
        let lasts = match (self.deadline, other.deadline) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.left(now) >= other.left(now) / 2,
        };
        lasts && self.priority <= other.priority
    }
}
