//! The figures of a drill over time.

use std::{fmt, time::Duration};

use crate::scenario::Kind;

/// The figures over time: one point for each stretch of the incident.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// How long a stretch is.
    pub bucket: Duration,
    /// The points, from the start of the incident.
    pub points: Vec<Point>,
}

/// One stretch of the incident.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Point {
    /// Where it starts.
    pub from: Duration,
    /// The calls that were made in it, by what they came to: in the order of [`Kind::ALL`].
    pub calls: [u64; 6],
    /// How many of them were late.
    pub late: u64,
    /// The attempts that reached the primary in it.
    pub attempts_primary: u64,
    /// The attempts that reached the secondary in it.
    pub attempts_secondary: u64,
}

// === impl Point ===

impl Point {
    /// The calls that were made in it and came to that.
    pub fn of(&self, kind: Kind) -> u64 {
        self.calls[kind as usize]
    }
}

// === impl Series ===

impl Series {
    const POINTS: u32 = 240;
    const MOST: u32 = 10_000;

    /// As many points as the length needs, all zero.
    pub(super) fn empty(length: Duration, bucket: Option<Duration>) -> Self {
        let least = (length / Self::MOST).max(Duration::from_nanos(1));
        let bucket = bucket.unwrap_or(length / Self::POINTS).max(least);
        let count = length.as_secs_f64() / bucket.as_secs_f64();
        let point = |n| Point { from: bucket * n, ..Point::default() };
        Self { bucket, points: (0..(count.ceil() as u32).max(1)).map(point).collect() }
    }

    /// The point of a moment; what comes after the end belongs to the last.
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
