//! The generic cell rate algorithm (GCRA): a token bucket whose whole state is one time.
//!
//! This is the theoretical arrival time: when the bucket is full again. Taking cells moves it forward by their cost; otherwise it
//! stands still, so that a bucket refills without a timer.

use std::time::Duration;

use tokio::time::Instant;

/// A rate limit: `cells` per `period`, at a constant rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    pub(super) cells: f64,
    pub(super) period: Duration,
}

/// A bucket that refills at a constant rate. Pure: `now` is an argument.
#[derive(Debug)]
pub(super) struct Gcra {
    /// The start of time: all times are nanoseconds since then.
    origin: Instant,
    /// The time in which one cell is refilled, in nanoseconds.
    cell: u64,
    /// The number of cells in a full bucket.
    capacity: u64,
    /// The theoretical arrival time, in nanoseconds: when the bucket is full again.
    full_at: u64,
}

/// The longest time in which a bucket refills, in nanoseconds: about 30 years.
const MAX_REFILL: f64 = 1e18;
/// The latest theoretical arrival time, in nanoseconds. Plus [`MAX_REFILL`] it fits into a `u64`.
const MAX_FULL_AT: u64 = 8_000_000_000_000_000_000;
/// The latest time that differs from later ones, in nanoseconds.
const MAX_NOW: u64 = u64::MAX / 4;

// === impl Gcra ===

impl Gcra {
    /// Creates a full bucket. Its capacity is at least one cell, its rate at most one cell per nanosecond.
    pub(super) fn new(rate: Rate, capacity: f64, now: Instant) -> Self {
        let cell = rate.period.as_nanos() as f64 / rate.cells.max(f64::MIN_POSITIVE);
        let cell = cell.round().clamp(1.0, MAX_REFILL) as u64;
        let capacity = capacity.clamp(1.0, (MAX_REFILL / cell as f64).max(1.0)) as u64;
        Self { origin: now, cell, capacity, full_at: 0 }
    }

    /// Takes `cells`, or returns the time until they can be taken. A call of any size is possible: more than the capacity takes
    /// the whole bucket and owes nothing.
    pub(super) fn reserve(&mut self, cells: u64, now: Instant) -> Result<(), Duration> {
        let wait = self.wait_for(cells, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        // Taking nothing must not move the time from which a later charge counts.
        if cells > 0 {
            let cost = cells.min(self.capacity) * self.cell;
            self.full_at = self.full_at.max(self.nanos(now)) + cost;
        }
        Ok(())
    }

    /// The time until `cells` can be taken, if no others are taken; zero if they can be taken now.
    pub(super) fn wait_for(&self, cells: u64, now: Instant) -> Duration {
        if cells == 0 {
            return Duration::ZERO;
        }
        let missing = self.capacity - cells.min(self.capacity);
        let earliest = self.full_at.saturating_sub(missing * self.cell);
        Duration::from_nanos(earliest.saturating_sub(self.nanos(now)))
    }

    /// Gives back `cells` that were taken.
    pub(super) fn refund(&mut self, cells: f64) {
        self.full_at = self.full_at.saturating_sub((cells * self.cell as f64).ceil() as u64);
    }

    /// Takes `cells` even if the bucket holds fewer: the level becomes negative. The charge counts from the last reservation:
    /// cells refilled since then pay for it.
    pub(super) fn charge(&mut self, cells: f64) {
        let cost = (cells * self.cell as f64) as u64;
        self.full_at = self.full_at.saturating_add(cost).min(MAX_FULL_AT);
    }

    /// The number of cells in the bucket; negative where cells are owed.
    pub(super) fn level(&self, now: Instant) -> f64 {
        let missing = self.full_at.saturating_sub(self.nanos(now));
        self.capacity() - missing as f64 / self.cell as f64
    }

    /// Sets the number of cells in the bucket, at most its capacity; negative where cells are owed.
    pub(super) fn set_level(&mut self, level: f64, now: Instant) {
        let missing = (self.capacity() - level).max(0.0) * self.cell as f64;
        self.full_at = self.nanos(now).saturating_add(missing as u64).min(MAX_FULL_AT);
    }

    /// The number of cells in a full bucket.
    pub(super) fn capacity(&self) -> f64 {
        self.capacity as f64
    }

    /// The number of cells that are refilled in `time`.
    pub(super) fn earned(&self, time: Duration) -> f64 {
        time.as_nanos() as f64 / self.cell as f64
    }

    /// The time in which `cells` are refilled; zero for a negative number.
    pub(super) fn time_to_earn(&self, cells: f64) -> Duration {
        Duration::from_nanos((cells.max(0.0) * self.cell as f64) as u64)
    }

    fn nanos(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.origin).as_nanos();
        nanos.min(u128::from(MAX_NOW)) as u64
    }
}

#[cfg(test)]
mod tests;
