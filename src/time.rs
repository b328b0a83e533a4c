//! Durations: arithmetic that never overflows, and limits that record whether they were set.

use std::time::Duration;

use tokio::time::Instant;

/// A duration for each form of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerTimes {
    /// The time from the start of a streamed attempt to its first event with content.
    pub first_event: Duration,
    /// The time from the start of an attempt that is not streamed to its whole answer.
    pub whole_answer: Duration,
}

/// A time limit, and whether it was set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// The caller set it: it applies as it is.
    Set(Duration),
    /// The default: it shrinks to a shorter deadline, and does not apply to the last target, which has all the time left.
    Default(Duration),
}

/// `now + limit`, capped at some thirty years.
pub(crate) fn saturating_add(now: Instant, limit: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(limit.min(FAR)).unwrap_or(now)
}

/// A duration times `by`; zero if the product is not a valid duration.
pub(crate) fn scale(time: Duration, by: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * by).unwrap_or(Duration::ZERO)
}

// === impl AnswerTimes ===

impl AnswerTimes {
    /// The time of an answer that is not streamed (`whole`), or of one that is.
    pub(crate) fn of(&self, whole: bool) -> Duration {
        if whole { self.whole_answer } else { self.first_event }
    }
}

// === impl Limit ===

impl Limit {
    pub(crate) fn time(self) -> Duration {
        match self {
            Self::Set(time) | Self::Default(time) => time,
        }
    }

    pub(crate) fn is_set(self) -> bool {
        matches!(self, Self::Set(_))
    }

    pub(crate) fn map(self, change: impl FnOnce(Duration) -> Duration) -> Self {
        match self {
            Self::Set(time) => Self::Set(change(time)),
            Self::Default(time) => Self::Default(change(time)),
        }
    }

    pub(crate) fn within(self, time: Duration) -> Self {
        if self.is_set() { self } else { self.map(|limit| limit.min(time)) }
    }
}
