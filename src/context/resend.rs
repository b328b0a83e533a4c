//! The bytes of request that one call sends again.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{sync::lock_std as lock, time::saturating_add};

/// The bytes of request that one call has sent again, over all its attempts. A handle: all attempts of the call share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResendBudget(Arc<Mutex<Resent>>);

#[derive(Debug, Default)]
struct Resent {
    /// The limit without the floor for large bodies; `None` before the first attempt, or if there is no limit.
    limit: Option<u64>,
    /// Whether the first attempt, which is free, was made.
    begun: bool,
    /// The bytes that were sent again and have not come back yet.
    owed: u64,
    /// The largest body so far: those for other targets may be longer, by the name of a model.
    largest: u64,
    /// When bytes last came back.
    at: Option<Instant>,
}

/// What a retry on the same route may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resend {
    /// Everything: another target, or the call's next round.
    Elsewhere,
    /// A quarter: the rest is kept for other targets.
    Retry,
}

/// An attempt that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The first one, which is free.
    First,
    Again,
}

/// Bodies up to this size are not counted: other bounds hold for them.
const SMALL: usize = 64 * 1024;
/// The further attempts that a body of any size can have.
const LEAST_ATTEMPTS: u64 = 4;
/// The bytes that come back each second.
const PER_SECOND: u64 = 256 * 1024;

// === impl ResendBudget ===

impl ResendBudget {
    /// Whether a body of that size is counted.
    pub(crate) fn counts(body: usize) -> bool {
        body > SMALL
    }

    /// Takes an attempt with a body of that size, within `limit`. The error is the time until there is room for it.
    pub(crate) fn take(
        &self,
        body: usize,
        limit: Option<u64>,
        now: Instant,
    ) -> Result<Taken, Duration> {
        let mut resent = lock(&self.0);
        resent.limit = limit;
        resent.largest = resent.largest.max(body as u64);
        if !resent.begun {
            resent.begun = true;
            return Ok(Taken::First);
        }
        resent.refill(now);
        let missing = resent.missing(body, Resend::Elsewhere);
        if missing > 0 {
            return Err(time_for(missing));
        }
        resent.owed = resent.owed.saturating_add(body as u64);
        Ok(Taken::Again)
    }

    /// Gives back an attempt that no target received.
    pub(crate) fn give_back(&self, body: usize, taken: Taken) {
        let mut resent = lock(&self.0);
        match taken {
            Taken::First => resent.begun = false,
            Taken::Again => resent.owed = resent.owed.saturating_sub(body as u64),
        }
    }

    /// The time from `now` until there is room for an attempt with a body of that size.
    pub(crate) fn room_in(&self, body: usize, how: Resend, now: Instant) -> Duration {
        let mut resent = lock(&self.0);
        if !resent.begun {
            return Duration::ZERO;
        }
        resent.refill(now);
        time_for(resent.missing(body, how))
    }

    /// Whether a retry after `wait` has room.
    pub(crate) fn may_retry(&self, body: usize, wait: Duration, now: Instant) -> bool {
        self.room_in(body, Resend::Retry, now) <= wait
    }
}

// === impl Resent ===

impl Resent {
    fn refill(&mut self, now: Instant) {
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let back = since.as_millis().saturating_mul(u128::from(PER_SECOND)) / 1000;
        self.owed = self.owed.saturating_sub(u64::try_from(back).unwrap_or(u64::MAX));
        self.at = Some(self.at.map_or(now, |at| saturating_add(at, since)));
    }

    /// The bytes that have to come back before a body of that size has room.
    fn missing(&self, body: usize, how: Resend) -> u64 {
        let Some(limit) = self.limit else { return 0 };
        let body = body as u64;
        let limit = limit.max(body.max(self.largest).saturating_mul(LEAST_ATTEMPTS));
        let limit = if how == Resend::Retry { limit / LEAST_ATTEMPTS } else { limit };
        self.owed.saturating_add(body).saturating_sub(limit)
    }
}

fn time_for(bytes: u64) -> Duration {
    Duration::from_millis(bytes.saturating_mul(1000).div_ceil(PER_SECOND))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1024 * 1024;
    const LIMIT: Option<u64> = Some(32 * MIB as u64);

    fn taken(budget: &ResendBudget, body: usize, now: Instant) -> usize {
        std::iter::from_fn(|| budget.take(body, LIMIT, now).ok()).take(10_000).count()
    }

    #[tokio::test]
    async fn a_body_of_any_size_has_four_further_attempts_and_a_small_one_many() {
        let now = Instant::now();
        for (body, attempts) in [(28 * MIB, 5), (1024 * MIB, 5), (8 * MIB, 5), (MIB, 33)] {
            assert_eq!(taken(&ResendBudget::default(), body, now), attempts, "{body}");
        }
        assert!(!ResendBudget::counts(64 * 1024) && ResendBudget::counts(64 * 1024 + 1));
    }

    #[tokio::test]
    async fn retries_leave_three_quarters_to_other_targets() {
        let (budget, now) = (ResendBudget::default(), Instant::now());
        assert!(budget.take(28 * MIB, LIMIT, now).is_ok());
        assert!(budget.may_retry(28 * MIB, Duration::ZERO, now));
        assert!(budget.take(28 * MIB, LIMIT, now).is_ok());
        assert!(!budget.may_retry(28 * MIB, Duration::from_secs(30), now));
        assert_eq!(taken(&budget, 28 * MIB, now), 3);
    }

    #[tokio::test]
    async fn what_comes_back_with_time_is_used_by_a_call_that_waits() {
        let (budget, now) = (ResendBudget::default(), Instant::now());
        taken(&budget, 16 * MIB, now);
        let wait = budget.room_in(16 * MIB, Resend::Elsewhere, now);
        assert_eq!(wait, Duration::from_secs(64));
        assert_eq!(budget.take(16 * MIB, LIMIT, now), Err(wait));
        assert!(budget.take(16 * MIB, LIMIT, now + wait).is_ok());
        assert!(budget.take(16 * MIB, LIMIT, now + wait).is_err());
    }

    #[tokio::test]
    async fn what_no_target_received_costs_nothing_and_without_a_limit_nothing_does() {
        let (budget, now) = (ResendBudget::default(), Instant::now());
        for _ in 0..100 {
            let taken = budget.take(28 * MIB, LIMIT, now).unwrap();
            budget.give_back(28 * MIB, taken);
        }
        assert!((0..100).all(|_| budget.take(28 * MIB, None, now).is_ok()));
    }

    proptest! {
        /// In any window, no more is sent again than the limit and what came back.
        #[test]
        fn law_the_bytes_sent_again_are_bounded(
            body in 65_537..64 * MIB, waits in proptest::collection::vec(0..100_000_u64, 1..100),
        ) {
            let (budget, begun) = (ResendBudget::default(), Instant::now());
            let (mut now, mut sent) = (begun, 0_u64);
            budget.take(body, LIMIT, now).unwrap();
            for wait in waits {
                now += Duration::from_millis(wait);
                sent += budget.take(body, LIMIT, now).map_or(0, |_| body as u64);
                let limit = (32 * MIB as u64).max(4 * body as u64);
                prop_assert!(sent <= limit + ((now - begun).as_millis() as u64) * PER_SECOND / 1000);
            }
        }
    }
}
