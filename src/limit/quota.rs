//! One rate limit of a route: as configured, and corrected by what the provider reports.

mod report;

use std::time::Duration;

use tokio::time::Instant;

use super::{
    cost::{Cost, CostDimension},
    gcra::{Gcra, Rate},
    policy::MINUTE,
};
use crate::{
    context::{FIRST_PROBE, LONGEST_WAIT},
    route_state::Rest,
};

/// One rate limit.
#[derive(Debug)]
pub(super) struct Quota {
    /// `None` while no limit is known.
    bucket: Option<Gcra>,
    /// The last known rate.
    rate: Option<Rate>,
    /// The part of a period's cells that may be used at once: 1 if the bucket copies that of the provider.
    burst_share: f64,
    /// Whether the limit is set by the policy, and not only reported by the provider.
    is_configured: bool,
    /// The end of a window that is used up.
    exhausted_until: Option<Instant>,
    /// Whether the reports of the provider were wrong and are ignored.
    is_distrusted: bool,
    /// The number of the newest attempt whose answer had a report.
    last_reported: Option<u64>,
    /// All cells that were ever taken.
    total_taken: f64,
}

/// A quota as it was when an attempt was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuotaSnapshot {
    /// The number of the attempt.
    pub(super) number: u64,
    pub(super) sent_at: Instant,
    /// All cells that had been taken, with those of the attempt.
    pub(super) total_taken: f64,
}

/// The part of the cells that a call needs which is refilled within a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Savings {
    pub(super) cells: f64,
    /// Whether these are all cells that the call needs.
    pub(super) is_enough: bool,
}

/// An attempt whose cost is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settlement {
    /// The number of the attempt.
    pub(super) number: u64,
    /// The cells that were taken for it.
    pub(super) reserved: u64,
    /// The cells that it has used.
    pub(super) used: u64,
}

// === impl Quota ===

impl Quota {
    /// Creates a limit per minute, of which `burst_share` may be used at once.
    pub(super) fn configured(per_minute: f64, burst_share: f64, now: Instant) -> Self {
        let mut quota = Self { burst_share, is_configured: true, ..Self::unknown() };
        quota.set_rate(Rate { cells: per_minute, period: MINUTE }, now);
        quota
    }

    /// Replaces the limit per minute; `None`: none is configured. What was taken stays taken, and a window that the provider has
    /// reported as used up stays used up.
    pub(super) fn configure(&mut self, per_minute: Option<u32>, burst_share: f64, now: Instant) {
        (self.is_configured, self.rate) = (per_minute.is_some(), None);
        self.burst_share = if self.is_configured { burst_share } else { 1.0 };
        match per_minute {
            Some(cells) => self.set_rate(Rate { cells: cells.into(), period: MINUTE }, now),
            None => self.bucket = None,
        }
    }

    /// Gives nothing back for attempts up to that number.
    pub(super) fn ignore_refunds(&mut self, number: u64) {
        self.last_reported = self.last_reported.max(Some(number));
    }

    /// No limit, until the provider reports one.
    pub(super) fn unknown() -> Self {
        Self {
            bucket: None,
            rate: None,
            burst_share: 1.0,
            is_configured: false,
            exhausted_until: None,
            is_distrusted: false,
            last_reported: None,
            total_taken: 0.0,
        }
    }

    /// The time until `cells` can be taken, after others have taken `ahead`.
    pub(super) fn wait(&self, ahead: f64, cells: u64, now: Instant) -> Duration {
        if cells == 0 {
            return Duration::ZERO;
        }
        let exhausted = self.exhausted_for(now);
        let Some(bucket) = &self.bucket else { return exhausted };
        if ahead == 0.0 {
            return exhausted.max(bucket.wait_for(cells, now));
        }
        let missing = ahead + (cells as f64).min(bucket.capacity()) - bucket.level(now);
        exhausted.max(bucket.time_to_earn(missing))
    }

    /// The time until `cells` can be taken with `set_aside` left, as far as the bucket holds both.
    pub(super) fn wait_beside(&self, set_aside: f64, cells: u64, now: Instant) -> Duration {
        let room = |bucket: &Gcra| (bucket.capacity() - cells as f64).max(0.0);
        let room = self.bucket.as_ref().map_or(0.0, room);
        self.wait(set_aside.min(room), cells, now)
    }

    /// How much of `cells` is refilled within `time`; `None` if there is no bucket.
    pub(super) fn savings(&self, cells: u64, time: Duration) -> Option<Savings> {
        let bucket = self.bucket.as_ref().filter(|_| cells > 0)?;
        let (needed, earned) = ((cells as f64).min(bucket.capacity()), bucket.earned(time));
        Some(Savings { cells: earned.min(needed), is_enough: earned >= needed })
    }

    /// Takes `cells`, after a [`wait`](Self::wait) of zero.
    pub(super) fn take(&mut self, cells: u64, now: Instant) {
        self.total_taken += cells as f64;
        if let Some(bucket) = &mut self.bucket {
            if bucket.reserve(cells, now).is_err() {
                bucket.charge(cells as f64);
            }
        }
    }

    /// Settles the reservation of an attempt. Unused cells are given back, unless the provider has reported the remaining amount
    /// since; usage beyond the reservation is owed if the limit is configured.
    pub(super) fn settle(&mut self, Settlement { number, reserved, used }: Settlement) {
        let Some(bucket) = &mut self.bucket else { return };
        // No more was taken than the bucket holds.
        let refund = (reserved as f64).min(bucket.capacity()) - used as f64;
        if refund >= 0.0 {
            if self.last_reported < Some(number) {
                bucket.refund(refund);
            }
        } else if self.is_configured {
            // Whatever the cost of a call, other calls wait for it no longer than the longest time for which a route is closed.
            bucket.charge((-refund).min(bucket.earned(LONGEST_WAIT)));
        }
    }

    /// The cells that are left, if known; negative if cells are owed.
    pub(super) fn remaining(&self, now: Instant) -> Option<f64> {
        match &self.bucket {
            _ if self.is_exhausted(now) => Some(0.0),
            bucket => bucket.as_ref().map(|bucket| bucket.level(now)),
        }
    }

    /// Whether evicting the quota would lose state: a window that is used up, or cells taken from a bucket.
    pub(super) fn rest(&self, now: Instant) -> Rest {
        match (self.is_exhausted(now), self.is_full(now)) {
            (true, _) => Rest::Busy,
            (false, true) => Rest::Settled,
            (false, false) => Rest::Fading,
        }
    }

    /// All cells that were ever taken.
    pub(super) fn total_taken(&self) -> f64 {
        self.total_taken
    }

    /// The cells that can be taken at once; `None` while no limit is known.
    pub(super) fn capacity(&self) -> Option<f64> {
        self.bucket.as_ref().map(Gcra::capacity)
    }

    /// The cells that are refilled in a minute; `None` while no limit is known.
    pub(super) fn per_minute(&self) -> Option<f64> {
        let rate = self.rate.filter(|_| self.bucket.is_some())?;
        Some(rate.cells * 60.0 / rate.period.as_secs_f64())
    }

    /// The cells that a call takes. From a limit that is only reported, an estimate takes one cell: the provider decides the cost
    /// of a call, and an estimate holds no call back while something remains.
    pub(super) fn cells(&self, dimension: CostDimension, cost: Cost) -> u64 {
        let cells = cost.of(dimension);
        let is_exact = dimension == CostDimension::Requests || self.is_configured;
        if is_exact { cells } else { cells.min(1) }
    }

    fn is_full(&self, now: Instant) -> bool {
        self.bucket.as_ref().is_none_or(|bucket| bucket.level(now) >= bucket.capacity())
    }

    fn is_exhausted(&self, now: Instant) -> bool {
        self.exhausted_until.is_some_and(|until| until > now)
    }

    fn exhausted_for(&self, now: Instant) -> Duration {
        self.exhausted_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn set_rate(&mut self, rate: Rate, now: Instant) {
        if self.bucket.is_some() && self.rate == Some(rate) {
            return;
        }
        let level = self.bucket.as_ref().map(|bucket| bucket.level(now));
        let level = level.filter(|_| !self.is_full(now));
        let mut bucket = Gcra::new(rate, rate.cells * self.burst_share, now);
        if let Some(level) = level {
            bucket.set_level(level.min(bucket.capacity()), now);
        }
        (self.rate, self.bucket) = (Some(rate), Some(bucket));
    }
}

#[cfg(test)]
mod tests;
