//! The settings that calls must share to share an attempt, and which call may wait for another's attempt.

use std::{future::Future, time::Duration};

use http::header;
use tokio::time::{Instant, timeout_at};

use crate::{
    Request,
    context::{CallContext, Deadline, Fallbacks, Priority},
    hash::hash,
    stream::{CommitPolicy, MidStreamFailure},
};

/// The settings for an answer that a single call may override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::cache) struct CallSettings {
    commit: Option<CommitPolicy>,
    resume: Option<MidStreamFailure>,
    /// The hash of the content codings that the caller accepts for the answer.
    accepts: u64,
}

/// How a call waits: its deadline and its priority.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache) struct WaitTerms {
    pub(super) deadline: Option<Deadline>,
    pub(super) priority: Priority,
}

/// The time kept for a local answer; at most a tenth of the time left.
const INSTANT: Duration = Duration::from_millis(20);

// === impl CallSettings ===

impl CallSettings {
    /// `None` for a call that brings fallbacks of its own: it shares no attempt, as its fallbacks apply to no other call.
    pub(in crate::cache) fn of(request: &mut Request) -> Option<Self> {
        let extensions = request.extensions();
        let (commit, resume) = (extensions.get().copied(), extensions.get().copied());
        let accepted = request.headers().get_all(header::ACCEPT_ENCODING).iter();
        let accepts = hash(&accepted.collect::<Vec<_>>());
        extensions.get::<Fallbacks>().is_none().then_some(Self { commit, resume, accepts })
    }
}

// === impl WaitTerms ===

impl WaitTerms {
    pub(in crate::cache) fn of(request: &mut Request) -> Self {
        let priority = request.extensions().get().copied().unwrap_or_default();
        Self { deadline: CallContext::deadline(request), priority }
    }

    /// The output of `work`, if it is ready before this call's deadline; `None` if not.
    pub(in crate::cache) async fn in_time<T>(self, work: impl Future<Output = T>) -> Option<T> {
        let Some(deadline) = self.deadline else { return Some(work.await) };
        let kept = INSTANT.min(deadline.left(Instant::now()) / 10);
        timeout_at(deadline.less(kept).instant(), work).await.ok()
    }

    /// Whether a call with terms `other` may join an attempt that was begun under these terms: the attempt has at least half the
    /// time left that the call has, and no lower priority.
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
