//! The deadline and the priority of a call.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::saturating_add;

/// The moment by which a call must have ended. Put one into a request's extensions to set it for that call alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The order in queues: interactive calls before batch calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// A person is waiting.
    #[default]
    Interactive,
    /// No one is waiting.
    Batch,
}

// === impl Deadline ===

impl Deadline {
    /// A deadline at that moment.
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// A deadline `limit` from now.
    pub fn within(limit: Duration) -> Self {
        Self(saturating_add(Instant::now(), limit))
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// The time left at `now`; zero when it has passed.
    pub fn left(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// The deadline, earlier by `reserve`.
    pub(crate) fn less(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }
}

/// The least time left with which an attempt is still started, for a call with `whole` in all: one second, which is what the
/// faster models take to their first token, or a tenth of `whole` if that is less. With less time an answer would be billed
/// and thrown away.
pub(crate) fn least_attempt(whole: Duration) -> Duration {
    Duration::from_secs(1).min(whole / 10)
}
