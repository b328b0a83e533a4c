//! The counts of a sliding window: ten buckets and their sum.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::saturating_add;

const BUCKETS: usize = 10;

/// The counts of calls and attempts. A call ends once and its latency becomes known once, possibly at different times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Attempts that were admitted.
    pub(crate) admitted: u32,
    /// Admitted attempts that do not end a call: they were no evidence, or a retry followed.
    pub(crate) void: u32,
    /// Calls with an outcome.
    pub(crate) ended: u32,
    /// Calls that failed or were pushed back.
    pub(crate) failed: u32,
    /// Calls whose latency is known.
    pub(crate) timed: u32,
    /// Calls that were slow.
    pub(crate) slow: u32,
    /// Attempts that failed, whatever the outcome of their calls.
    pub(crate) lost: u32,
}

/// Exact counts over a time span that advances in tenths.
///
/// The cost does not depend on the past: a call adds to one bucket and to the sum, and each tenth of the span subtracts one
/// bucket from the sum. The type is `Copy`, so it holds nothing that grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    buckets: [Counts; BUCKETS],
    sum: Counts,
    /// The index of the bucket that `now` falls into.
    current: usize,
    /// When the next bucket becomes the current one.
    edge: Instant,
    width: Duration,
}

// === impl Counts ===

impl Counts {
    /// The share of failures; `None` if no call ended.
    pub(crate) fn failure_ratio(&self) -> Option<f64> {
        share(self.failed, self.ended)
    }

    /// The share of slow calls; `None` if no latency is known.
    pub(crate) fn slow_ratio(&self) -> Option<f64> {
        // A call timed in an earlier bucket may turn out to be slow in a later one.
        share(self.slow, self.timed.max(self.slow))
    }

    /// Calls that have ended or are under way. A failure may arrive at once and a success after a minute, so the ended calls
    /// alone are biased.
    pub(crate) fn begun(&self) -> u32 {
        self.ended.max(self.admitted.saturating_sub(self.void))
    }

    /// Calls that succeeded.
    pub(crate) fn succeeded(&self) -> u32 {
        self.ended.saturating_sub(self.failed)
    }

    /// One attempt that was admitted.
    pub(crate) fn admitted() -> Self {
        Self { admitted: 1, ..Self::default() }
    }

    /// One attempt that does not end a call.
    pub(crate) fn void() -> Self {
        Self { void: 1, ..Self::default() }
    }

    /// One call whose latency has become known.
    pub(crate) fn latency(slow: bool) -> Self {
        Self { timed: 1, slow: slow.into(), ..Self::default() }
    }

    /// Adds the outcome of the call.
    pub(crate) fn and_ended(self, failed: bool) -> Self {
        Self { ended: 1, failed: failed.into(), ..self }
    }

    /// Adds the counts of `other`.
    fn add(&mut self, other: Self) {
        self.admitted += other.admitted;
        self.void += other.void;
        self.ended += other.ended;
        self.failed += other.failed;
        self.timed += other.timed;
        self.slow += other.slow;
        self.lost += other.lost;
    }

    /// Subtracts the counts of `other`, which were added before.
    fn take_out(&mut self, other: Self) {
        self.admitted -= other.admitted;
        self.void -= other.void;
        self.ended -= other.ended;
        self.failed -= other.failed;
        self.timed -= other.timed;
        self.slow -= other.slow;
        self.lost -= other.lost;
    }
}

fn share(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

// === impl Window ===

impl Window {
    /// An empty window over `span`, whose first bucket begins at `now`.
    pub(crate) fn new(span: Duration, now: Instant) -> Self {
        let width = (span / BUCKETS as u32).max(Duration::from_nanos(1));
        let buckets = [Counts::default(); BUCKETS];
        let edge = saturating_add(now, width);
        Self { buckets, sum: Counts::default(), current: 0, edge, width }
    }

    /// Adds `counts` at `now` and returns the sum. A time before the current bucket counts in the current one: the clocks of two
    /// threads need not agree.
    pub(crate) fn add(&mut self, counts: Counts, now: Instant) -> Counts {
        self.roll(now);
        self.buckets[self.current].add(counts);
        self.sum.add(counts);
        self.sum
    }

    /// The counts of the span that ends at `now`.
    pub(crate) fn sum(&mut self, now: Instant) -> Counts {
        self.roll(now);
        self.sum
    }

    /// Changes the span. The counts keep their time, to a bucket, and those that are older than the new span are dropped.
    pub(crate) fn resize(&mut self, span: Duration, now: Instant) {
        self.roll(now);
        let old = *self;
        // The end of a bucket: what is kept may seem younger than it is, and never older.
        let end = |age: usize| old.edge.checked_sub(old.width * age as u32).unwrap_or(now).min(now);
        let resized = Self::new(span, end(BUCKETS - 1));
        if resized.width == old.width {
            return;
        }
        *self = resized;
        for age in (0..BUCKETS).rev() {
            self.add(old.buckets[(old.current + BUCKETS - age) % BUCKETS], end(age));
        }
        self.roll(now);
    }

    /// Clears all counts.
    pub(crate) fn clear(&mut self) {
        self.buckets = [Counts::default(); BUCKETS];
        self.sum = Counts::default();
    }

    /// Advances to the bucket of `now` and returns how many buckets were emptied: at most all.
    fn roll(&mut self, now: Instant) -> usize {
        if now < self.edge {
            return 0;
        }
        let past = now.saturating_duration_since(self.edge);
        let whole = past.as_nanos() / self.width.as_nanos();
        let emptied = usize::try_from(whole).map_or(BUCKETS, |whole| (whole + 1).min(BUCKETS));
        for _ in 0..emptied {
            self.current = (self.current + 1) % BUCKETS;
            self.sum.take_out(self.buckets[self.current]);
            self.buckets[self.current] = Counts::default();
        }
        // The edge stays on the grid, so that the time past it is not lost at each step.
        let rest = (past.as_nanos() % self.width.as_nanos()) as u64;
        self.edge = saturating_add(now, self.width - Duration::from_nanos(rest));
        emptied
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn call(failed: bool, slow: bool) -> Counts {
        Counts::latency(slow).and_ended(failed)
    }

    #[test]
    fn old_successes_slide_out() {
        let start = Instant::now();
        let mut window = Window::new(ms(10_000), start);
        for _ in 0..100_000 {
            window.add(call(false, false), start);
        }
        assert_eq!(window.sum(start + ms(9999)).ended, 100_000);
        for _ in 0..10 {
            window.add(call(true, false), start + ms(10_000));
        }
        assert_eq!(window.sum(start + ms(10_000)).failure_ratio(), Some(1.0));
    }

    /// A `Copy` type holds nothing that grows, and in total no more buckets are emptied than the elapsed time accounts for.
    #[test]
    fn a_call_costs_the_same_whatever_came_before() {
        fn holds_nothing_that_grows<T: Copy>(_: &T) {}
        let start = Instant::now();
        let mut window = Window::new(ms(10_000), start);
        holds_nothing_that_grows(&window);

        let emptied: usize = (0..60_000)
            .map(|call_no| {
                let now = start + ms(call_no);
                let emptied = window.roll(now);
                window.add(call(call_no % 2 == 0, false), now);
                emptied
            })
            .sum();
        assert_eq!(emptied, 59);
        assert_eq!(window.roll(start + ms(100_000_000)), BUCKETS);
    }

    #[test]
    fn a_clock_that_goes_back_counts_in_the_current_bucket() {
        let start = Instant::now();
        let mut window = Window::new(ms(1000), start);
        window.add(call(true, false), start + ms(5000));
        window.add(call(false, true), start);
        assert_eq!(window.sum(start).ended, 2);
        assert_eq!(window.sum(start + ms(6000)), Counts::default());
    }

    #[test]
    fn a_window_of_all_time_does_not_overflow() {
        let start = Instant::now();
        let mut window = Window::new(Duration::MAX, start);
        window.add(call(true, true), start + Duration::from_secs(3600 * 24 * 365));
        assert_eq!(window.sum(start).ended, 1);
    }

    proptest! {
        /// The window equals a naive list of all calls, each with its tenth of the span.
        #[test]
        fn the_window_equals_a_naive_list(
            span in 10_u64..50_000,
            steps in prop::collection::vec((0_u64..8000, 0_u32..4, any::<bool>(), any::<bool>()), 1..200),
        ) {
            let start = Instant::now();
            let mut window = Window::new(ms(span), start);
            let width = u128::from(span) * 1_000_000 / 10;
            let mut all: Vec<(u128, Counts)> = Vec::new();
            let mut at = 0;
            for (gap, calls, failed, slow) in steps {
                at += gap;
                let tenth = u128::from(at) * 1_000_000 / width;
                for _ in 0..calls {
                    window.add(call(failed, slow), start + ms(at));
                    all.push((tenth, call(failed, slow)));
                }
                let mut naive = Counts::default();
                all.iter().filter(|(then, _)| then + 10 > tenth).for_each(|(_, one)| naive.add(*one));
                prop_assert_eq!(window.sum(start + ms(at)), naive);
            }
        }
    }
}
