//! All limits of a route together.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    LimitPolicy,
    quota::{Mark, Quota},
    rate_limit_info::{Refill, Told},
    tokens::{Cost, Kind},
};
use crate::keyed_state::Rest;

/// All limits of a route.
#[derive(Debug)]
pub(super) struct Meters {
    /// One of each kind, by the minute.
    each: [Quota; 4],
    /// The same by the hour or the day: only where a provider tells of one.
    long: [Quota; 4],
}

/// Where an attempt stood in all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    pub(super) nth: u64,
    at: Instant,
    each: [f64; 4],
    long: [f64; 4],
}

/// What is set aside for a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    pub(super) aside: [f64; 4],
    /// It is all that the call costs.
    pub(super) is_enough: bool,
}

// === impl Meters ===

impl Meters {
    /// The limits of a policy.
    pub(super) fn made_of(policy: &LimitPolicy, now: Instant) -> Self {
        let share = policy.burst.as_secs_f64() / 60.0;
        Self::new(policy.requests, policy.tokens, share, now)
    }

    /// The limits that are set, by the minute; of the requests that share at once, of the tokens all.
    pub(super) fn new(
        requests: Option<u32>,
        tokens: Option<u32>,
        share: f64,
        now: Instant,
    ) -> Self {
        let untold = || [(); 4].map(|()| Quota::untold());
        let (mut each, long) = (untold(), untold());
        if let Some(requests) = requests {
            each[Kind::Requests as usize] = Quota::set(requests.into(), share, now);
        }
        if let Some(tokens) = tokens {
            each[Kind::Tokens as usize] = Quota::set(tokens.into(), 1.0, now);
        }
        Self { each, long }
    }

    /// How long it is until a call can be paid for, after what is `ahead` of it.
    pub(super) fn wait(&self, ahead: [f64; 4], cost: Cost, now: Instant) -> Duration {
        let waits = Kind::ALL.into_iter().flat_map(|kind| {
            let n = kind as usize;
            [&self.each[n], &self.long[n]].map(|it| it.wait(ahead[n], it.counts(kind, cost), now))
        });
        waits.max().unwrap_or_default()
    }

    /// How long it is until a call can be paid for, and what is set `aside` is still there.
    pub(super) fn afford(&self, aside: [f64; 4], cost: Cost, now: Instant) -> Duration {
        let waits = Kind::ALL.into_iter().flat_map(|kind| {
            let n = kind as usize;
            let each = self.each[n].afford(aside[n], self.each[n].counts(kind, cost), now);
            [each, self.long[n].wait(0.0, self.long[n].counts(kind, cost), now)]
        });
        waits.max().unwrap_or_default()
    }

    /// What comes in within that time, as far as a call needs it.
    pub(super) fn saved(&self, cost: Cost, time: Duration) -> Saved {
        let each = Kind::ALL.map(|kind| {
            let meter = &self.each[kind as usize];
            meter.saved(meter.counts(kind, cost), time)
        });
        let is_enough =
            each.iter().flatten().all(|saved| saved.1) && each.iter().any(Option::is_some);
        Saved { aside: each.map(|saved| saved.map_or(0.0, |saved| saved.0)), is_enough }
    }

    /// How long it is until the provider has anything left, as it told.
    pub(super) fn told_wait(&self, now: Instant) -> Duration {
        let all = self.each.iter().chain(&self.long);
        all.map(|meter| meter.told_wait(now)).max().unwrap_or_default()
    }

    /// The provider has let an attempt in although it told that nothing is left for a long time: what it tells is not heeded
    /// until it limits the rate.
    pub(super) fn disprove(&mut self, now: Instant) {
        self.all().for_each(|(meter, _)| meter.disprove(now));
    }

    /// The provider limits the rate, so what it tells is heeded.
    pub(super) fn believe(&mut self) {
        self.all().for_each(|(meter, _)| meter.believe());
    }

    pub(super) fn take(&mut self, cost: Cost, now: Instant) {
        for (meter, kind) in self.all() {
            meter.take(meter.counts(kind, cost), now);
        }
    }

    pub(super) fn marks(&self, nth: u64, at: Instant) -> Marks {
        let taken = |meters: &[Quota; 4]| [0, 1, 2, 3].map(|n: usize| meters[n].taken);
        Marks { nth, at, each: taken(&self.each), long: taken(&self.long) }
    }

    pub(super) fn settle(&mut self, marks: &Marks, taken: Cost, cost: Cost) {
        for kind in Kind::ALL {
            let n = kind as usize;
            for meter in [&mut self.each[n], &mut self.long[n]] {
                meter.settle(marks.nth, meter.counts(kind, taken), meter.counts(kind, cost));
            }
        }
    }

    pub(super) fn news(&mut self, told: &[Told], marks: &Marks, now: Instant) {
        for Told { kind, news } in told {
            let n = *kind as usize;
            let unsaid = news.refill() == Refill::Unsaid && self.long[n].is_of(news.limit);
            if news.is_long() || unsaid {
                self.long[n].news(news, marks.of(marks.long[n]), now);
                continue;
            }
            self.each[n].news(news, marks.of(marks.each[n]), now);
            // The first answer of a minute's window looks like one of an hour's bucket: the next ones tell.
            self.long[n] = Quota::untold();
        }
    }

    /// The limit of a kind by the minute.
    pub(super) fn of(&self, kind: Kind) -> &Quota {
        &self.each[kind as usize]
    }

    /// What would be lost if all were made anew.
    pub(super) fn rest(&self, now: Instant) -> Rest {
        let all = self.each.iter().chain(&self.long);
        all.map(|meter| meter.rest(now)).max().unwrap_or(Rest::Settled)
    }

    fn all(&mut self) -> impl Iterator<Item = (&mut Quota, Kind)> {
        let each = self.each.iter_mut().zip(Kind::ALL);
        each.chain(self.long.iter_mut().zip(Kind::ALL))
    }
}

// === impl Marks ===

impl Marks {
    fn of(&self, taken: f64) -> Mark {
        Mark { nth: self.nth, at: self.at, taken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::rate_limit_info::RateLimitInfo;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    fn news(limit: f64, remaining: f64, reset: f64) -> RateLimitInfo {
        RateLimitInfo { limit: Some(limit), remaining: Some(remaining), reset: Some(secs(reset)) }
    }

    #[test]
    fn requests_by_the_day_leave_those_by_the_minute_alone() {
        let now = Instant::now();
        let mut meters = Meters::new(Some(30), None, 1.0 / 12.0, now);
        let cost = Cost { requests: 1, input: 0, output: 0 };
        meters.take(cost, now);
        let told = [Told { kind: Kind::Requests, news: news(14_400.0, 14_370.0, 179.56) }];
        meters.news(&told, &meters.marks(1, now), now);
        assert_eq!(meters.of(Kind::Requests).a_minute(), Some(30.0));
        assert_eq!(meters.wait([0.0; 4], cost, now), Duration::ZERO);
        let told = [Told { kind: Kind::Requests, news: news(14_400.0, 0.0, 86_400.0) }];
        meters.news(&told, &meters.marks(2, now), now);
        assert_eq!(meters.wait([0.0; 4], cost, now), secs(6.0));
    }

    #[test]
    fn what_was_taken_for_an_hours_limit_and_is_none_is_forgotten() {
        let now = Instant::now();
        let mut meters = Meters::new(None, None, 1.0, now);
        let cost = Cost { requests: 1, input: 0, output: 0 };
        let mut told = |nth: u64, left: f64, reset: f64| {
            meters.take(cost, now);
            let told = [Told { kind: Kind::Requests, news: news(60.0, left, reset) }];
            meters.news(&told, &meters.marks(nth, now), now);
            meters.wait([0.0; 4], cost, now)
        };
        assert_eq!(told(1, 59.0, 60.0), Duration::ZERO);
        assert_eq!(told(2, 30.0, 55.0), Duration::ZERO);
        assert_eq!(told(3, 0.0, 20.0), secs(20.0), "of a window, and not of an hour");
    }
}
