//! A bucket: so many cells a period, by the generic cell rate algorithm.
//!
//! `governor` decides whether cells conform, and when they will. Its limiter has no way to give cells back, to go into
//! debt, or to be told what is left, so the one number that it keeps (the theoretical arrival time) lies in a store of
//! ours, where it can be moved.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter, clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{NotKeyed, StateStore},
};
use tokio::time::Instant;

/// A bucket. Pure: `now` is an argument.
#[derive(Debug)]
pub(crate) struct Bucket {
    gcra: RateLimiter<NotKeyed, Arrival, Clock, NoOpMiddleware<Nanos>>,
    arrival: Arrival,
    clock: Clock,
    origin: Instant,
    /// What one cell takes to come back, in nanoseconds.
    cell: u64,
    /// How many cells there are when it is full.
    size: u32,
}

/// The theoretical arrival time, in nanoseconds since the bucket was made: where governor reads and writes it.
#[derive(Clone, Debug, Default)]
struct Arrival(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    nanos: AtomicU64,
    /// Only asked, not taken.
    frozen: AtomicBool,
}

/// The clock that governor reads: set by hand before each question.
#[derive(Clone, Debug, Default)]
struct Clock(Arc<AtomicU64>);

// === impl Bucket ===

impl Bucket {
    /// A full bucket of `size` cells, into which `limit` come a `period`. At least one cell, and at most one a nanosecond.
    pub(crate) fn new(limit: f64, period: Duration, size: f64, now: Instant) -> Self {
        let cell = (period.as_nanos() as f64 / limit.max(f64::MIN_POSITIVE)).round();
        let cell = cell.clamp(1.0, LONGEST) as u64;
        // All of it has to come back within what can be computed with.
        let size = size.clamp(1.0, (LONGEST / cell as f64).clamp(1.0, f64::from(u32::MAX))) as u32;
        let (arrival, clock) = (Arrival::default(), Clock::default());
        let gcra = RateLimiter::new(quota(cell, size), arrival.clone(), clock.clone());
        Self { gcra, arrival, clock, origin: now, cell, size }
    }

    /// Takes so many cells, or tells how long it is until they can be taken. More than the bucket holds takes all of it and
    /// owes nothing: a call of any size is possible, and an estimate is never a debt.
    pub(crate) fn take(&mut self, cells: u64, now: Instant) -> Result<(), Duration> {
        let Some(held) = NonZeroU32::new(self.held(cells)) else { return Ok(()) };
        self.ask(held, now)
    }

    /// How long it is until so many cells could be taken, one after the other as they come; zero if now.
    pub(crate) fn wait(&self, cells: u64, now: Instant) -> Duration {
        let Some(held) = NonZeroU32::new(self.held(cells)) else { return Duration::ZERO };
        self.arrival.0.frozen.store(true, Ordering::Relaxed);
        let wait = self.ask(held, now).err().unwrap_or_default();
        self.arrival.0.frozen.store(false, Ordering::Relaxed);
        wait
    }

    /// What `ahead` cells more add to a wait, once they have to come first.
    pub(crate) fn takes(&self, ahead: f64) -> Duration {
        Duration::from_nanos((ahead.max(0.0) * self.cell as f64) as u64)
    }

    /// Gives back so many cells, or takes them without asking where that is below zero: they are owed then.
    pub(crate) fn shift(&mut self, cells: f64) {
        let by = cells * self.cell as f64;
        let arrival = self.arrival.get() as f64 - by;
        self.arrival.set(arrival.clamp(0.0, FAR) as u64);
    }

    /// How many cells are there; below zero, how many are owed.
    pub(crate) fn level(&self, now: Instant) -> f64 {
        let owed = self.arrival.get().saturating_sub(self.nanos(now)) as f64 / self.cell as f64;
        f64::from(self.size) - owed
    }

    /// Says how many cells there are.
    pub(crate) fn set_level(&mut self, level: f64, now: Instant) {
        let missing = (f64::from(self.size) - level).max(0.0) * self.cell as f64;
        self.arrival.set((self.nanos(now) as f64 + missing).min(FAR) as u64);
    }

    /// How many cells it holds when it is full.
    pub(crate) fn size(&self) -> f64 {
        f64::from(self.size)
    }

    /// How many cells come in so long.
    pub(crate) fn earned(&self, time: Duration) -> f64 {
        time.as_nanos() as f64 / self.cell as f64
    }

    fn held(&self, cells: u64) -> u32 {
        u32::try_from(cells).unwrap_or(u32::MAX).min(self.size)
    }

    fn ask(&self, cells: NonZeroU32, now: Instant) -> Result<(), Duration> {
        let now = self.nanos(now);
        self.clock.0.store(now, Ordering::Relaxed);
        match self.gcra.check_n(cells) {
            Ok(Ok(())) => Ok(()),
            // A wait that is rounded to nothing would be asked for again at once, without end.
            Ok(Err(not)) => {
                Err(NotUntil::wait_time_from(&not, now.into()).max(Duration::from_nanos(1)))
            }
            // Not reached: no more is asked for than it holds.
            Err(_) => Ok(()),
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.origin).as_nanos().min(u128::from(u64::MAX / 4)) as u64
    }
}

/// As long as anything may take to come back: some thirty years.
const LONGEST: f64 = 1e18;
/// As far as the arrival time may be moved; with [`LONGEST`] on top it is still a number.
const FAR: f64 = 8e18;

fn quota(cell: u64, size: u32) -> Quota {
    let size = NonZeroU32::new(size).unwrap_or(NonZeroU32::MIN);
    // A period that is not zero makes a quota.
    let quota = Quota::with_period(Duration::from_nanos(cell));
    quota.unwrap_or(Quota::per_second(NonZeroU32::MAX)).allow_burst(size)
}

// === impl Arrival ===

impl Arrival {
    fn get(&self) -> u64 {
        self.0.nanos.load(Ordering::Relaxed)
    }

    fn set(&self, nanos: u64) {
        self.0.nanos.store(nanos, Ordering::Relaxed);
    }
}

impl StateStore for Arrival {
    type Key = NotKeyed;

    /// One at a time: the bucket is behind a lock, and asked through `&mut` or under it.
    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (decision, arrival) = decide(Some(self.get().into()))?;
        if !self.0.frozen.load(Ordering::Relaxed) {
            self.set(arrival.into());
        }
        Ok(decision)
    }
}

// === impl Clock ===

impl clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    #[test]
    fn a_bucket_gives_its_size_at_once_and_then_its_rate() {
        let now = Instant::now();
        let mut bucket = Bucket::new(60.0, MINUTE, 5.0, now);
        for _ in 0..5 {
            assert_eq!(bucket.take(1, now), Ok(()));
        }
        assert_eq!(bucket.take(1, now), Err(secs(1.0)));
        assert_eq!(bucket.wait(3, now), secs(3.0));
        assert_eq!(bucket.take(1, now + secs(1.0)), Ok(()));
        assert_eq!(bucket.take(1, now + secs(1.5)), Err(secs(0.5)));
    }

    #[test]
    fn asking_takes_nothing() {
        let now = Instant::now();
        let bucket = Bucket::new(60.0, MINUTE, 5.0, now);
        for _ in 0..9 {
            assert_eq!(bucket.wait(5, now), Duration::ZERO);
        }
        assert_eq!(bucket.level(now), 5.0);
    }

    #[test]
    fn more_than_it_holds_waits_until_it_is_full_and_owes_nothing() {
        let now = Instant::now();
        let mut bucket = Bucket::new(600.0, MINUTE, 100.0, now);
        bucket.take(50, now).unwrap();
        assert_eq!(bucket.take(300, now), Err(secs(5.0)));
        assert_eq!(bucket.take(300, now + secs(5.0)), Ok(()));
        assert_eq!(bucket.level(now + secs(5.0)), 0.0);
        assert_eq!(bucket.take(1, now + secs(5.0)), Err(secs(0.1)));
    }

    #[test]
    fn what_is_given_back_is_there_and_never_more_than_it_holds() {
        let now = Instant::now();
        let mut bucket = Bucket::new(60.0, MINUTE, 10.0, now);
        bucket.take(10, now).unwrap();
        bucket.shift(4.0);
        assert_eq!(bucket.level(now), 4.0);
        bucket.shift(100.0);
        assert_eq!(bucket.level(now), 10.0);
        bucket.set_level(-5.0, now);
        assert_eq!((bucket.level(now), bucket.wait(1, now)), (-5.0, secs(6.0)));
        bucket.set_level(1e9, now);
        assert_eq!(bucket.level(now), 10.0);
    }

    #[test]
    fn limits_of_any_size_can_be_computed_with() {
        let now = Instant::now();
        for limit in [0.0, 1e-9, 1.0, 1e6, 1e12, f64::MAX] {
            for size in [0.0, 1.0, 1e9, 1e30] {
                let mut bucket = Bucket::new(limit, MINUTE, size, now);
                assert_eq!(bucket.take(1, now), Ok(()), "{limit} {size}");
                let _ = bucket.take(u64::MAX, now + 10_000 * MINUTE);
                bucket.set_level(-1e30, now);
                bucket.shift(-1e30);
                assert!(bucket.wait(u64::MAX, now) > Duration::ZERO, "{limit} {size}");
            }
        }
    }

    proptest! {
        /// The law of the algorithm: in no stretch of time more than what it holds and what comes in it.
        #[test]
        fn no_window_has_more_than_the_size_and_the_rate(
            limit in 1_u32..200, size in 1_u32..20, gaps in prop::collection::vec(0_u64..3000, 1..200),
        ) {
            let start = Instant::now();
            let mut bucket = Bucket::new(limit.into(), MINUTE, size.into(), start);
            let mut now = start;
            let mut taken = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if bucket.take(1, now).is_ok() {
                    taken.push(now);
                }
            }
            for (n, from) in taken.iter().enumerate() {
                for (count, to) in taken[n..].iter().enumerate() {
                    let came = (*to - *from).as_secs_f64() / 60.0 * f64::from(limit);
                    prop_assert!(count as f64 + 1.0 <= f64::from(size) + came + 1e-6);
                }
            }
        }

        /// A reservation that is settled leaves what the answer cost, and no more.
        #[test]
        fn tokens_are_conserved(reserved in 1_u64..500, cost in 0_u64..2000) {
            let now = Instant::now();
            let mut bucket = Bucket::new(60_000.0, MINUTE, 1000.0, now);
            bucket.take(reserved, now).unwrap();
            bucket.shift(reserved as f64 - cost as f64);
            prop_assert!((bucket.level(now) - (1000.0 - cost as f64)).abs() < 1e-3);
        }
    }
}
