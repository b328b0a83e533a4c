//! All rate limits of a route together.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    cost::{Cost, CostDimension, PerDimension},
    policy::LimitPolicy,
    quota::{Quota, QuotaSnapshot, Savings, Settlement},
    rate_limit_info::{Refill, ReportedLimit},
};
use crate::route_state::Rest;

/// All rate limits of a route.
#[derive(Debug)]
pub(super) struct Quotas {
    per_minute: PerDimension<Quota>,
    /// Limits per hour or day: only where a provider reports one.
    long: PerDimension<Quota>,
}

/// All rate limits as they were when an attempt was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuotaSnapshots {
    /// The number of the attempt.
    pub(super) number: u64,
    sent_at: Instant,
    /// All cells that had been taken, with those of the attempt.
    per_minute: PerDimension<f64>,
    long: PerDimension<f64>,
}

/// The cells set aside for a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct SetAside {
    pub(super) cells: PerDimension<f64>,
    /// Whether they cover the whole cost of the call.
    pub(super) is_enough: bool,
}

// === impl Quotas ===

impl Quotas {
    /// Creates the limits of a policy, per minute.
    pub(super) fn new(policy: &LimitPolicy, now: Instant) -> Self {
        let unknown = || PerDimension::from_fn(|_| Quota::unknown());
        let (mut per_minute, long) = (unknown(), unknown());
        if let Some(requests) = policy.requests {
            let burst_share = policy.burst.as_secs_f64() / 60.0;
            let quota = Quota::configured(requests.into(), burst_share, now);
            per_minute[CostDimension::Requests] = quota;
        }
        if let Some(tokens) = policy.tokens {
            per_minute[CostDimension::Tokens] = Quota::configured(tokens.into(), 1.0, now);
        }
        Self { per_minute, long }
    }

    /// Applies the limits per minute of a new policy, where they differ. `number` is the last attempt that was sent before.
    pub(super) fn adopt(
        &mut self,
        before: &LimitPolicy,
        after: &LimitPolicy,
        number: u64,
        now: Instant,
    ) {
        if (before.requests, before.burst) != (after.requests, after.burst) {
            let burst_share = after.burst.as_secs_f64() / 60.0;
            let requests = &mut self.per_minute[CostDimension::Requests];
            requests.configure(after.requests, burst_share, now);
            requests.ignore_refunds(number);
        }
        if before.tokens != after.tokens {
            let tokens = &mut self.per_minute[CostDimension::Tokens];
            tokens.configure(after.tokens, 1.0, now);
            tokens.ignore_refunds(number);
        }
    }

    /// The time until a call can be paid for, after others have taken `ahead`.
    pub(super) fn wait(&self, ahead: PerDimension<f64>, cost: Cost, now: Instant) -> Duration {
        let waits = CostDimension::ALL.into_iter().flat_map(|dimension| {
            [&self.per_minute[dimension], &self.long[dimension]]
                .map(|quota| quota.wait(ahead[dimension], quota.cells(dimension, cost), now))
        });
        waits.max().unwrap_or_default()
    }

    /// The time until a call can be paid for with `set_aside` left.
    pub(super) fn wait_beside(
        &self,
        set_aside: PerDimension<f64>,
        cost: Cost,
        now: Instant,
    ) -> Duration {
        let waits = CostDimension::ALL.into_iter().flat_map(|dimension| {
            let (minute, long) = (&self.per_minute[dimension], &self.long[dimension]);
            let cells = minute.cells(dimension, cost);
            let minute = minute.wait_beside(set_aside[dimension], cells, now);
            [minute, long.wait(0.0, long.cells(dimension, cost), now)]
        });
        waits.max().unwrap_or_default()
    }

    /// The cells refilled within `time`, as far as a call needs them.
    pub(super) fn savings(&self, cost: Cost, time: Duration) -> SetAside {
        let savings: PerDimension<Option<Savings>> = PerDimension::from_fn(|dimension| {
            let quota = &self.per_minute[dimension];
            quota.savings(quota.cells(dimension, cost), time)
        });
        let cells = |dimension| savings[dimension].map_or(0.0, |savings| savings.cells);
        let is_enough = savings.iter().flatten().all(|savings| savings.is_enough)
            && savings.iter().any(Option::is_some);
        SetAside { cells: PerDimension::from_fn(cells), is_enough }
    }

    /// The time until anything is left, by the provider's reports.
    pub(super) fn reported_wait(&self, now: Instant) -> Duration {
        self.iter().map(|quota| quota.reported_wait(now)).max().unwrap_or_default()
    }

    /// Records that the provider has let an attempt in. If it had reported that nothing is left for a long time, its reports are
    /// ignored until it limits the rate.
    pub(super) fn on_disproved(&mut self, now: Instant) {
        self.iter_mut().for_each(|(_, quota)| quota.on_disproved(now));
    }

    /// Uses the provider's reports again, after it has limited the rate.
    pub(super) fn trust(&mut self) {
        self.iter_mut().for_each(|(_, quota)| quota.trust());
    }

    pub(super) fn take(&mut self, cost: Cost, now: Instant) {
        for (dimension, quota) in self.iter_mut() {
            quota.take(quota.cells(dimension, cost), now);
        }
    }

    pub(super) fn snapshot(&self, number: u64, sent_at: Instant) -> QuotaSnapshots {
        let taken = |quotas: &PerDimension<Quota>| {
            PerDimension::from_fn(|dimension| quotas[dimension].total_taken())
        };
        let (per_minute, long) = (taken(&self.per_minute), taken(&self.long));
        QuotaSnapshots { number, sent_at, per_minute, long }
    }

    /// Settles an attempt that reserved `reserved` and used `used`.
    pub(super) fn settle(&mut self, number: u64, reserved: Cost, used: Cost) {
        for (dimension, quota) in self.iter_mut() {
            let (reserved, used) = (quota.cells(dimension, reserved), quota.cells(dimension, used));
            quota.settle(Settlement { number, reserved, used });
        }
    }

    /// Applies the limits that the answer to an attempt reports.
    pub(super) fn on_report(
        &mut self,
        limits: &[ReportedLimit],
        snapshots: &QuotaSnapshots,
        now: Instant,
    ) {
        for ReportedLimit { dimension, info } in limits {
            let (minute, long) = (&mut self.per_minute[*dimension], &mut self.long[*dimension]);
            let is_known_long = info.refill() == Refill::Unknown && long.has_size(info.limit);
            if info.is_long() || is_known_long {
                long.on_report(info, snapshots.of(snapshots.long[*dimension]), now);
                continue;
            }
            minute.on_report(info, snapshots.of(snapshots.per_minute[*dimension]), now);
            // The first answer of a minute's window looks like that of an hour's bucket: only later answers show the difference.
            *long = Quota::unknown();
        }
    }

    /// The limit per minute of a dimension.
    pub(super) fn of(&self, dimension: CostDimension) -> &Quota {
        &self.per_minute[dimension]
    }

    /// Whether evicting the quotas would lose state.
    pub(super) fn rest(&self, now: Instant) -> Rest {
        self.iter().map(|quota| quota.rest(now)).max().unwrap_or(Rest::Settled)
    }

    fn iter(&self) -> impl Iterator<Item = &Quota> {
        self.per_minute.iter().chain(self.long.iter())
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = (CostDimension, &mut Quota)> {
        self.per_minute.iter_mut().chain(self.long.iter_mut())
    }
}

// === impl QuotaSnapshots ===

impl QuotaSnapshots {
    fn of(&self, total_taken: f64) -> QuotaSnapshot {
        QuotaSnapshot { number: self.number, sent_at: self.sent_at, total_taken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::rate_limit_info::RateLimitInfo;

    const NOTHING: PerDimension<f64> = PerDimension::ZERO;
    const ONE: Cost = Cost::REQUEST;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    fn requests(limit: f64, remaining: f64, reset: f64) -> [ReportedLimit; 1] {
        let (limit, remaining, reset) = (Some(limit), Some(remaining), Some(secs(reset)));
        let info = RateLimitInfo { limit, remaining, reset };
        [ReportedLimit { dimension: CostDimension::Requests, info }]
    }

    #[test]
    fn requests_by_the_day_leave_those_by_the_minute_alone() {
        let now = Instant::now();
        let policy = LimitPolicy::new().requests(30).burst(secs(5.0));
        let mut quotas = Quotas::new(&policy, now);
        quotas.take(ONE, now);
        quotas.on_report(&requests(14_400.0, 14_370.0, 179.56), &quotas.snapshot(1, now), now);
        assert_eq!(quotas.of(CostDimension::Requests).per_minute(), Some(30.0));
        assert_eq!(quotas.wait(NOTHING, ONE, now), Duration::ZERO);
        quotas.on_report(&requests(14_400.0, 0.0, 86_400.0), &quotas.snapshot(2, now), now);
        assert_eq!(quotas.wait(NOTHING, ONE, now), secs(6.0));
    }

    #[test]
    fn what_was_taken_for_an_hours_limit_and_is_none_is_forgotten() {
        let now = Instant::now();
        let mut quotas = Quotas::new(&LimitPolicy::new(), now);
        let mut report = |number: u64, remaining: f64, reset: f64| {
            quotas.take(ONE, now);
            let snapshots = quotas.snapshot(number, now);
            quotas.on_report(&requests(60.0, remaining, reset), &snapshots, now);
            quotas.wait(NOTHING, ONE, now)
        };
        assert_eq!(report(1, 59.0, 60.0), Duration::ZERO);
        assert_eq!(report(2, 30.0, 55.0), Duration::ZERO);
        assert_eq!(report(3, 0.0, 20.0), secs(20.0), "of a window, and not of an hour");
    }
}
