//! The metrics of a scenario over time.

use std::{fmt, time::Duration};

use crate::scenario::CallResult;

/// The metrics over time: one point for each period of the incident.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The length of a period.
    pub bucket: Duration,
    /// The points, from the start of the incident.
    pub points: Vec<Point>,
}

/// One period of the incident.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Point {
    /// The start of the period.
    pub from: Duration,
    /// The calls made in the period, by their result, in the order of [`CallResult::ALL`].
    pub calls: [u64; 6],
    /// The number of these calls that were late.
    pub late: u64,
    /// The attempts that reached the primary in the period.
    pub attempts_primary: u64,
    /// The attempts that reached the secondary in the period.
    pub attempts_secondary: u64,
}

// === impl Point ===

impl Point {
    /// The calls made in the period with that result.
    pub fn of(&self, result: CallResult) -> u64 {
        self.calls[result as usize]
    }
}

// === impl Series ===

impl Series {
    const DEFAULT_POINTS: u32 = 240;
    const MAX_POINTS: u32 = 10_000;

    /// The points for that length, all zero.
    pub(super) fn empty(length: Duration, bucket: Option<Duration>) -> Self {
        let min = (length / Self::MAX_POINTS).max(Duration::from_nanos(1));
        let bucket = bucket.unwrap_or(length / Self::DEFAULT_POINTS).max(min);
        let count = length.as_secs_f64() / bucket.as_secs_f64();
        let point = |n| Point { from: bucket * n, ..Point::default() };
        Self { bucket, points: (0..(count.ceil() as u32).max(1)).map(point).collect() }
    }

    /// The point of a time. The last point also has all that is after the end.
    pub(super) fn at(&mut self, time: Duration) -> &mut Point {
        let n = (time.as_secs_f64() / self.bucket.as_secs_f64()) as usize;
        let last = self.points.len() - 1;
        &mut self.points[n.min(last)]
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Series({} points of {:?})", self.points.len(), self.bucket)
    }
}
