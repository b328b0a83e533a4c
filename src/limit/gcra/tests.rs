use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn per_minute(cells: f64) -> Rate {
    Rate { cells, period: MINUTE }
}

fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

#[test]
fn a_bucket_gives_its_size_at_once_and_then_its_rate() {
    let now = Instant::now();
    let mut bucket = Gcra::new(per_minute(60.0), 5.0, now);
    for _ in 0..5 {
        assert_eq!(bucket.reserve(1, now), Ok(()));
    }
    assert_eq!(bucket.reserve(1, now), Err(secs(1.0)));
    assert_eq!(bucket.wait_for(3, now), secs(3.0));
    assert_eq!(bucket.reserve(1, now + secs(1.0)), Ok(()));
    assert_eq!(bucket.reserve(1, now + secs(1.5)), Err(secs(0.5)));
}

#[test]
fn asking_takes_nothing() {
    let now = Instant::now();
    let bucket = Gcra::new(per_minute(60.0), 5.0, now);
    for _ in 0..9 {
        assert_eq!(bucket.wait_for(5, now), Duration::ZERO);
    }
    assert_eq!(bucket.level(now), 5.0);
}

#[test]
fn more_than_it_holds_waits_until_it_is_full_and_owes_nothing() {
    let now = Instant::now();
    let mut bucket = Gcra::new(per_minute(600.0), 100.0, now);
    bucket.reserve(50, now).unwrap();
    assert_eq!(bucket.reserve(300, now), Err(secs(5.0)));
    assert_eq!(bucket.reserve(300, now + secs(5.0)), Ok(()));
    assert_eq!(bucket.level(now + secs(5.0)), 0.0);
    assert_eq!(bucket.reserve(1, now + secs(5.0)), Err(secs(0.1)));
}

#[test]
fn what_is_given_back_is_there_and_never_more_than_it_holds() {
    let now = Instant::now();
    let mut bucket = Gcra::new(per_minute(60.0), 10.0, now);
    bucket.reserve(10, now).unwrap();
    bucket.refund(4.0);
    assert_eq!(bucket.level(now), 4.0);
    bucket.refund(100.0);
    assert_eq!(bucket.level(now), 10.0);
    bucket.set_level(-5.0, now);
    assert_eq!((bucket.level(now), bucket.wait_for(1, now)), (-5.0, secs(6.0)));
    bucket.set_level(1e9, now);
    assert_eq!(bucket.level(now), 10.0);
}

#[test]
fn what_is_refilled_since_a_reservation_pays_for_a_charge_even_after_reserving_nothing() {
    let now = Instant::now();
    let mut bucket = Gcra::new(per_minute(60.0), 10.0, now);
    bucket.reserve(4, now).unwrap();
    assert_eq!(bucket.reserve(0, now + secs(10.0)), Ok(()));
    bucket.charge(8.0);
    assert_eq!(bucket.level(now + secs(10.0)), 8.0);
}

#[test]
fn limits_of_any_size_can_be_computed_with() {
    let now = Instant::now();
    for limit in [0.0, 1e-9, 1.0, 1e6, 1e12, f64::MAX] {
        for size in [0.0, 1.0, 1e9, 1e30] {
            let mut bucket = Gcra::new(per_minute(limit), size, now);
            assert_eq!(bucket.reserve(1, now), Ok(()), "{limit} {size}");
            let _ = bucket.reserve(u64::MAX, now + 10_000 * MINUTE);
            bucket.set_level(-1e30, now);
            bucket.charge(1e30);
            assert!(bucket.wait_for(u64::MAX, now) > Duration::ZERO, "{limit} {size}");
        }
    }
}

/// A textbook token bucket: a level that is updated at each step. All values in nanoseconds of refill.
struct NaiveBucket {
    cell: u64,
    full: u64,
    level: u64,
}

impl NaiveBucket {
    fn refill(&mut self, nanos: u64) {
        self.level = self.full.min(self.level + nanos);
    }

    fn reserve(&mut self, cells: u64) -> Result<(), Duration> {
        let cost = self.full.min(cells * self.cell);
        match self.level.checked_sub(cost) {
            Some(level) => self.level = level,
            None => return Err(Duration::from_nanos(cost - self.level)),
        }
        Ok(())
    }
}

/// One step: the time since the last one, the cells requested, and whether they are refunded at once.
#[derive(Clone, Debug)]
struct Step {
    nanos: u64,
    cells: u64,
    refund: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let nanos = prop_oneof![Just(0), 1..100_u64, 1_000_000..60_000_000_000_u64];
    let step = (nanos, 0..30_u64, prop::bool::weighted(0.2));
    let step = step.prop_map(|(nanos, cells, refund)| Step { nanos, cells, refund });
    prop::collection::vec(step, 1..80)
}

proptest! {
    /// Whatever is requested and refunded, each decision and each wait equals that of the naive bucket, to the nanosecond; and no
    /// window takes more than the capacity, the refill of the window, and the refunds in it.
    #[test]
    fn no_window_has_more_than_the_capacity_and_the_rate(
        limit in 1_u32..10_000, capacity in 1_u32..20, steps in steps(),
    ) {
        let mut now = Instant::now();
        let mut bucket = Gcra::new(per_minute(limit.into()), capacity.into(), now);
        let (cell, full) = (bucket.cell, u64::from(capacity) * bucket.cell);
        let mut naive = NaiveBucket { cell, full, level: full };
        // The end of each step, and the totals taken and refunded until then.
        let (mut time, mut taken, mut refunded) = (0, 0, 0);
        let mut history = Vec::new();
        for Step { nanos, cells, refund } in steps {
            now += Duration::from_nanos(nanos);
            time += nanos;
            naive.refill(nanos);
            let before = taken;
            let decision = bucket.reserve(cells, now);
            prop_assert_eq!(decision, naive.reserve(cells));
            if decision.is_ok() {
                taken += cells.min(capacity.into()) * cell;
            }
            history.push((time, before, refunded, taken));
            if refund && decision.is_ok() {
                let cells = cells.min(capacity.into());
                bucket.refund(cells as f64);
                naive.refill(cells * cell);
                refunded += cells * cell;
            }
            prop_assert_eq!(bucket.wait_for(u64::MAX, now).as_nanos(), (full - naive.level).into());
        }
        for (n, (from, before, refunded, _)) in history.iter().enumerate() {
            for (to, _, refunded_by_then, taken) in &history[n..] {
                let allowed = full + (to - from) + (refunded_by_then - refunded);
                prop_assert!(taken - before <= allowed);
            }
        }
    }

    /// The law of the algorithm: no time span takes more than the capacity and the refill of the span.
    #[test]
    fn single_cells_keep_to_the_size_and_the_rate(
        limit in 1_u32..200, size in 1_u32..20, gaps in prop::collection::vec(0_u64..3000, 1..200),
    ) {
        let start = Instant::now();
        let mut bucket = Gcra::new(per_minute(limit.into()), size.into(), start);
        let mut now = start;
        let mut taken = Vec::new();
        for gap in gaps {
            now += Duration::from_millis(gap);
            if bucket.reserve(1, now).is_ok() {
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

    /// A settled reservation leaves exactly the cost of the answer.
    #[test]
    fn tokens_are_conserved(reserved in 1_u64..500, cost in 0_u64..2000) {
        let now = Instant::now();
        let mut bucket = Gcra::new(per_minute(60_000.0), 1000.0, now);
        bucket.reserve(reserved, now).unwrap();
        bucket.refund(reserved as f64);
        bucket.charge(cost as f64);
        prop_assert!((bucket.level(now) - (1000.0 - cost as f64)).abs() < 1e-3);
    }
}
