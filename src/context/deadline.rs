//! By when a call has its answer, and who goes first.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::saturating_add;

/// The moment by which a call has its answer. Put one into a request's extensions to set it for that call alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// Who goes first where calls wait: interactive before batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// A person waits.
    #[default]
    Interactive,
    /// Nobody waits.
    Batch,
}

// === impl Deadline ===

impl Deadline {
    /// A deadline at that moment.
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// A deadline that long after now.
    pub fn within(limit: Duration) -> Self {
        Self(saturating_add(Instant::now(), limit))
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// How long is left at `now`; zero when it has passed.
    pub fn left(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// The deadline that much earlier.
    pub(crate) fn less(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }
}

/// With how little time an attempt is still started, of a call that has `whole`: a second, which is what the faster models
/// take to their first word, or a tenth of what the call has. With less it is paid for and thrown away.
pub(crate) fn least_attempt(whole: Duration) -> Duration {
    Duration::from_secs(1).min(whole / 10)
}
