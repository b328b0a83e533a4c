//! The provider's reports about a quota, and when they are ignored.

use std::time::Duration;

use tokio::time::Instant;

use super::{FIRST_PROBE, MINUTE, Quota, QuotaSnapshot, Rate};
use crate::{
    limit::rate_limit_info::{RateLimitInfo, Refill},
    time::saturating_add,
};

/// The cells that are given back for each answer that reports more left than counted. Together they send requests at twice the
/// rate, until what is left is used.
const CATCH_UP: f64 = 0.5;

// === impl Quota ===

impl Quota {
    /// Applies the report in the answer to an attempt. The answer to an attempt before the last one with a report is ignored.
    pub(in crate::limit) fn on_report(
        &mut self,
        info: &RateLimitInfo,
        snapshot: QuotaSnapshot,
        now: Instant,
    ) {
        if Some(snapshot.number) <= self.last_reported || self.is_distrusted {
            return;
        }
        self.last_reported = Some(snapshot.number);
        let refill = info.refill();
        self.learn_rate(info, refill, now);
        let Some(remaining) = info.remaining else { return };
        let level = self.reported_level(remaining, refill, snapshot, now);
        self.exhausted_until = match refill {
            Refill::Window(reset) if level < 1.0 => Some(saturating_add(now, reset)),
            _ => None,
        };
        if let Some(bucket) = &mut self.bucket {
            if self.burst_share == 1.0 || level < bucket.level(now) {
                bucket.set_level(level, now);
            } else if matches!(refill, Refill::Steady(_)) && level > bucket.capacity() + 1.0 {
                // The burst is limited on purpose: cells that the provider has left beyond it are used, but not at once.
                bucket.refund(CATCH_UP);
            }
        }
    }

    /// The time until anything is left, by the provider's reports.
    pub(in crate::limit) fn reported_wait(&self, now: Instant) -> Duration {
        let bucket = self.bucket.as_ref().filter(|_| !self.is_configured);
        let empty = bucket.map_or(Duration::ZERO, |bucket| bucket.wait_for(1, now));
        self.exhausted_for(now).max(empty)
    }

    /// Records that the provider has let an attempt in. If it had reported that nothing is left for a long time, its reports are
    /// ignored from now on.
    pub(in crate::limit) fn on_disproved(&mut self, now: Instant) {
        if self.reported_wait(now) > FIRST_PROBE {
            (self.exhausted_until, self.is_distrusted) = (None, true);
            self.bucket.take_if(|_| !self.is_configured);
        }
    }

    /// Uses the provider's reports again, after it has limited the rate.
    pub(in crate::limit) fn trust(&mut self) {
        self.is_distrusted = false;
    }

    /// Whether the limit is known and has that size.
    pub(in crate::limit) fn has_size(&self, limit: Option<f64>) -> bool {
        self.bucket.is_some() && limit == self.rate.map(|rate| rate.cells)
    }

    /// The remaining amount now: as reported, plus the refill since the attempt was sent, less what was taken since. Never
    /// negative, as what was taken since is an estimate.
    fn reported_level(
        &self,
        remaining: f64,
        refill: Refill,
        snapshot: QuotaSnapshot,
        now: Instant,
    ) -> f64 {
        let is_steady = !matches!(refill, Refill::Window(_));
        let since = now.saturating_duration_since(snapshot.sent_at);
        let bucket = self.bucket.as_ref().filter(|_| is_steady);
        let earned = bucket.map_or(0.0, |bucket| bucket.earned(since));
        let level = remaining + earned - (self.total_taken - snapshot.total_taken);
        level.clamp(0.0, self.rate.map_or(0.0, |rate| rate.cells).max(remaining))
    }

    /// Applies the limit that the provider reports. If it reports only the remaining amount and that exceeds the known limit, the
    /// limit is raised to it.
    fn learn_rate(&mut self, info: &RateLimitInfo, refill: Refill, now: Instant) {
        let known = self.rate.map_or(MINUTE, |rate| rate.period);
        let period = match refill {
            Refill::Steady(period) => period,
            // Of a window only the end is known. The end of a day's window is hours away, except near its end.
            Refill::Window(reset) if reset > MINUTE => known.max(reset),
            _ => known,
        };
        let is_larger =
            |cells: f64| self.bucket.is_some() && self.rate.is_some_and(|rate| cells > rate.cells);
        let cells = info.limit.or_else(|| info.remaining.filter(|cells| is_larger(*cells)));
        if let Some(cells) = cells {
            self.set_rate(Rate { cells, period }, now);
        }
    }
}
