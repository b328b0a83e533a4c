//! One limit of a route: what is set, corrected by what the provider tells.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    gcra::{Gcra, Rate},
    policy::MINUTE,
    rate_limit_info::{RateLimitInfo, Refill},
    tokens::{Cost, Kind},
};
use crate::{
    context::{FIRST_PROBE, LONGEST_WAIT},
    keyed_state::Rest,
    time::saturating_add,
};

/// Where an attempt stood: which it was, when it was sent, and how much had been taken with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) nth: u64,
    pub(super) at: Instant,
    pub(super) taken: f64,
}

/// One limit.
#[derive(Debug)]
pub(super) struct Quota {
    bucket: Option<Gcra>,
    /// What of a period's worth may be used at once: 1 where it is a copy of the provider's own bucket.
    share: f64,
    /// Set by the policy, and not only told by the provider.
    set: bool,
    limit: f64,
    period: Duration,
    /// A window that is used up, until it begins anew.
    hold: Option<Instant>,
    /// What the provider tells was wrong, and is not heeded.
    doubted: bool,
    /// The attempt whose answer told last.
    newest: u64,
    /// All that was ever taken.
    pub(super) taken: f64,
}

// === impl Quota ===

impl Quota {
    /// A limit of so many a minute, of which that share may be used at once.
    pub(super) fn set(per_minute: f64, share: f64, now: Instant) -> Self {
        let mut meter = Self { share, set: true, ..Self::untold() };
        meter.resize(per_minute, MINUTE, now);
        meter
    }

    /// No limit, until the provider tells of one.
    pub(super) fn untold() -> Self {
        Self {
            bucket: None,
            share: 1.0,
            set: false,
            limit: 0.0,
            period: MINUTE,
            hold: None,
            doubted: false,
            newest: 0,
            taken: 0.0,
        }
    }

    /// How long it is until so many can be taken, `ahead` of them by others.
    pub(super) fn wait(&self, ahead: f64, cells: u64, now: Instant) -> Duration {
        if cells == 0 {
            return Duration::ZERO;
        }
        let held = self.hold.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let Some(bucket) = &self.bucket else { return held };
        if ahead == 0.0 {
            return held.max(bucket.wait_for(cells, now));
        }
        let missing = ahead + (cells as f64).min(bucket.capacity()) - bucket.level(now);
        held.max(bucket.time_to_earn(missing))
    }

    /// How long it is until so many can be taken and `aside` is left. No more is left than the bucket holds beside them.
    pub(super) fn afford(&self, aside: f64, cells: u64, now: Instant) -> Duration {
        let most = self.bucket.as_ref().map_or(0.0, |it| (it.capacity() - cells as f64).max(0.0));
        self.wait(aside.min(most), cells, now)
    }

    /// How many of those cells come in within that time, and whether it is all of them; `None` where nothing is counted.
    pub(super) fn saved(&self, cells: u64, time: Duration) -> Option<(f64, bool)> {
        let bucket = self.bucket.as_ref().filter(|_| cells > 0)?;
        let (needed, earned) = ((cells as f64).min(bucket.capacity()), bucket.earned(time));
        Some((earned.min(needed), earned >= needed))
    }

    /// How long it is until something is left, as far as the provider told.
    pub(super) fn told_wait(&self, now: Instant) -> Duration {
        let held = self.hold.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let bucket = self.bucket.as_ref().filter(|_| !self.set);
        held.max(bucket.map_or(Duration::ZERO, |bucket| bucket.wait_for(1, now)))
    }

    /// The provider has something left, against what it told for a long time.
    pub(super) fn disprove(&mut self, now: Instant) {
        if self.told_wait(now) > FIRST_PROBE {
            (self.hold, self.doubted) = (None, true);
            self.bucket.take_if(|_| !self.set);
        }
    }

    pub(super) fn believe(&mut self) {
        self.doubted = false;
    }

    /// Takes what a [`wait`](Self::wait) of nothing has promised.
    pub(super) fn take(&mut self, cells: u64, now: Instant) {
        self.taken += cells as f64;
        if let Some(bucket) = &mut self.bucket {
            if bucket.reserve(cells, now).is_err() {
                bucket.charge(cells as f64);
            }
        }
    }

    /// An attempt that took `taken` has cost `cost`. What it did not use is given back, unless the provider has told since
    /// what is left; what it used beyond is owed.
    pub(super) fn settle(&mut self, nth: u64, taken: u64, cost: u64) {
        // No more was taken than the bucket holds.
        let held = self.bucket.as_ref().map_or(f64::MAX, Gcra::capacity);
        let back = (taken as f64).min(held) - cost as f64;
        let told = self.newest >= nth;
        let holds = if back < 0.0 { self.set } else { !told };
        if let Some(bucket) = self.bucket.as_mut().filter(|_| holds) {
            // Whatever it cost, no call is owed for longer than a route is left alone.
            match back < 0.0 {
                true => bucket.charge((-back).min(bucket.earned(LONGEST_WAIT))),
                false => bucket.refund(back),
            }
        }
    }

    /// What the answer to an attempt tells. That of an earlier attempt than the last that told is old news.
    pub(super) fn news(&mut self, news: &RateLimitInfo, mark: Mark, now: Instant) {
        if mark.nth <= self.newest || self.doubted {
            return;
        }
        self.newest = mark.nth;
        let refill = news.refill();
        self.learn_limit(news, refill, now);
        let Some(remaining) = news.remaining else { return };
        let steady = !matches!(refill, Refill::Window(_));
        let level = self.level_by(remaining, mark, steady, now);
        self.hold = match refill {
            Refill::Window(reset) if level < 1.0 => Some(saturating_add(now, reset)),
            _ => None,
        };
        if let Some(bucket) = &mut self.bucket {
            let ours = bucket.level(now);
            if self.share == 1.0 || level < ours {
                bucket.set_level(level, now);
            } else if matches!(refill, Refill::Steady(_)) && level > bucket.capacity() + 1.0 {
                // One that is paced is so on purpose: what is there beyond is used, but not at once.
                bucket.refund(CATCH_UP);
            }
        }
    }

    /// What is left, as far as it is known; below zero, what is owed.
    pub(super) fn left(&self, now: Instant) -> Option<f64> {
        match (&self.bucket, self.hold.is_some_and(|until| until > now)) {
            (_, true) => Some(0.0),
            (Some(bucket), false) => Some(bucket.level(now)),
            (None, false) => None,
        }
    }

    /// What would be lost if it were made anew: a window that is used up, or what was taken of a bucket.
    pub(super) fn rest(&self, now: Instant) -> Rest {
        let full = self.bucket.as_ref().is_none_or(|bucket| bucket.level(now) >= bucket.capacity());
        match (self.hold.is_some_and(|until| until > now), full) {
            (true, _) => Rest::Busy,
            (false, true) => Rest::Settled,
            (false, false) => Rest::Fading,
        }
    }

    /// Whether it is one of that size.
    pub(super) fn is_of(&self, limit: Option<f64>) -> bool {
        self.bucket.is_some() && limit == Some(self.limit)
    }

    /// How much can be taken at once.
    pub(super) fn size(&self) -> Option<f64> {
        self.bucket.as_ref().map(Gcra::capacity)
    }

    /// How much comes in a minute.
    pub(super) fn a_minute(&self) -> Option<f64> {
        self.bucket.as_ref().map(|_| self.limit * 60.0 / self.period.as_secs_f64())
    }

    /// How much of a call counts. Where nothing was set, it is for the provider to say what a call costs: an estimate
    /// holds nobody back while something remains.
    pub(super) fn counts(&self, kind: Kind, cost: Cost) -> u64 {
        match kind {
            Kind::Requests => cost.requests,
            kind if self.set => cost.of(kind),
            kind => cost.of(kind).min(1),
        }
    }

    /// What the provider has now: what it told, what has come since the attempt was sent, less what was taken since.
    /// Never below zero, as what was taken since is an estimate.
    fn level_by(&self, remaining: f64, mark: Mark, steady: bool, now: Instant) -> f64 {
        let since = now.saturating_duration_since(mark.at);
        let earned = self.bucket.as_ref().filter(|_| steady).map_or(0.0, |it| it.earned(since));
        let left = remaining + earned - (self.taken - mark.taken);
        left.clamp(0.0, self.limit.max(remaining))
    }

    /// The size that the provider tells; or, where it tells only of more being left than we thought there is, that.
    fn learn_limit(&mut self, news: &RateLimitInfo, refill: Refill, now: Instant) {
        let period = match refill {
            Refill::Steady(period) => period,
            // Of a window only its end is known; a day's has hours to go, but for the last.
            Refill::Window(reset) if reset > MINUTE => self.period.max(reset),
            _ => self.period,
        };
        let known = self.bucket.is_some();
        match (news.limit, news.remaining) {
            (Some(limit), _) => self.resize(limit, period, now),
            (None, Some(remaining)) if known && remaining > self.limit => {
                self.resize(remaining, period, now);
            }
            _ => (),
        }
    }

    fn resize(&mut self, limit: f64, period: Duration, now: Instant) {
        if self.bucket.is_some() && (self.limit, self.period) == (limit, period) {
            return;
        }
        let level = self.bucket.as_ref().map(|bucket| bucket.level(now));
        let full = self.bucket.as_ref().is_none_or(|it| it.level(now) >= it.capacity());
        (self.limit, self.period) = (limit, period);
        let mut bucket = Gcra::new(Rate { cells: limit, period }, limit * self.share, now);
        if let Some(level) = level.filter(|_| !full) {
            bucket.set_level(level.min(bucket.capacity()), now);
        }
        self.bucket = Some(bucket);
    }
}

/// What is given back of each request whose answer tells that more is left than we count: all together are sent twice as
/// fast, until it is used.
const CATCH_UP: f64 = 0.5;

#[cfg(test)]
mod tests;
