//! The wait before a retry. Pure: the number of the retry and the randomness are arguments.

use std::{fmt, sync::Arc, time::Duration};

/// The shortest wait: whatever a provider or a schedule asks for, there is no hot loop.
pub(crate) const LEAST_WAIT: Duration = Duration::from_millis(50);

/// The most that is added to a wait named by the provider, so that callers with the same hint do not all return at the same time.
const SPREAD: Duration = Duration::from_secs(1);

/// Exponential backoff with full jitter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exponential {
    pub(crate) base: Duration,
    pub(crate) factor: f64,
    pub(crate) cap: Duration,
}

/// The waits of one call, one for each retry.
pub(crate) type Waits = Box<dyn Iterator<Item = Duration> + Send>;

/// A custom schedule.
#[derive(Clone)]
pub(crate) struct Schedule(Arc<dyn Fn() -> Waits + Send + Sync>);

// === impl Exponential ===

impl Exponential {
    /// The longest wait before a retry, counted from 0: the cap is applied last.
    pub(crate) fn ceiling(&self, retry: u32) -> Duration {
        if self.base.is_zero() {
            return Duration::ZERO;
        }
        let times = self.factor.powi(i32::try_from(retry).unwrap_or(i32::MAX));
        seconds(self.base.as_secs_f64() * times, self.cap)
    }

    /// The wait before a retry: a share of its ceiling, given by `random` in `[0, 1)`.
    pub(crate) fn wait(&self, retry: u32, random: f64) -> Duration {
        let ceiling = self.ceiling(retry);
        seconds(ceiling.as_secs_f64() * random, ceiling)
    }
}

/// Converts seconds, and returns at most `most`: also for NaN and for values that no `Duration` can hold.
fn seconds(seconds: f64, most: Duration) -> Duration {
    Duration::try_from_secs_f64(seconds).map_or(most, |wait| wait.min(most))
}

/// Raises a backoff to the provider's hint. The second value is whether the hint determined the wait.
///
/// The hint is a floor, applied up to `most`, with a little jitter added.
pub(crate) fn apply_hint(
    backoff: Duration,
    wish: Option<Duration>,
    most: Duration,
    random: f64,
) -> (Duration, bool) {
    let floor = wish.map_or(Duration::ZERO, |wish| {
        let spread = (wish / 4).min(SPREAD);
        wish.saturating_add(seconds(spread.as_secs_f64() * random, spread)).min(most)
    });
    (backoff.max(floor).max(LEAST_WAIT), floor > backoff)
}

// === impl Schedule ===

impl Schedule {
    pub(crate) fn new<F, I>(make: F) -> Self
    where
        F: Fn() -> I + Send + Sync + 'static,
        I: Iterator<Item = Duration> + Send + 'static,
    {
        Self(Arc::new(move || Box::new(make())))
    }

    /// The waits of a new call.
    pub(crate) fn waits(&self) -> Waits {
        (self.0)()
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schedule")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALMOST_ONE: f64 = 0.9999;
    const MOST: Duration = Duration::from_secs(120);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn exponential(base: u64, cap: u64) -> Exponential {
        Exponential { base: ms(base), factor: 2.0, cap: ms(cap) }
    }

    fn ceilings(base: u64, cap: u64, n: u32) -> Vec<u128> {
        (0..n).map(|retry| exponential(base, cap).ceiling(retry).as_millis()).collect()
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        assert_eq!(ceilings(250, 4_000, 6), [250, 500, 1000, 2000, 4000, 4000]);
    }

    #[test]
    fn the_ceilings_are_those_of_the_sdk_without_its_jitter() {
        assert_eq!(ceilings(1000, 20_000, 4), [1000, 2000, 4000, 8000]);
        assert_eq!(ceilings(1000, 3_000, 4), [1000, 2000, 3000, 3000]);
    }

    #[test]
    fn the_cap_holds_from_the_retry_that_reaches_it() {
        assert_eq!(ceilings(50, 200, 4), [50, 100, 200, 200]);
    }

    #[test]
    fn the_highest_jitter_stays_just_under_each_ceiling() {
        let series = |base, cap, n| -> Vec<u128> {
            (0..n).map(|r| exponential(base, cap).wait(r, ALMOST_ONE).as_millis()).collect()
        };
        assert_eq!(series(5, 100, 7), [4, 9, 19, 39, 79, 99, 99]);
        assert_eq!(series(100, 1200, 5), [99, 199, 399, 799, 1199]);
    }

    #[test]
    fn the_exponential_series() {
        assert_eq!(ceilings(2, 1_000, 5), [2, 4, 8, 16, 32]);
        assert_eq!(ceilings(2, 15, 5), [2, 4, 8, 15, 15]);
        assert_eq!(ceilings(1, 10, 6), [1, 2, 4, 8, 10, 10]);
        assert_eq!(exponential(100, 100_000).ceiling(11), ms(100_000));
        assert_eq!(exponential(100, 100_000).ceiling(12), ms(100_000));
    }

    #[test]
    fn full_jitter_uses_the_whole_range() {
        assert_eq!(exponential(1000, 4000).wait(1, 0.0), Duration::ZERO);
        assert_eq!(exponential(1000, 4000).wait(1, 0.25), ms(500));
    }

    #[test]
    fn a_wish_of_zero_makes_no_hot_loop() {
        assert_eq!(apply_hint(Duration::ZERO, Some(Duration::ZERO), MOST, 0.0).0, LEAST_WAIT);
        assert_eq!(apply_hint(Duration::ZERO, None, MOST, 0.0).0, LEAST_WAIT);
    }

    #[test]
    fn a_wish_is_a_floor() {
        assert_eq!(apply_hint(ms(100), Some(ms(2000)), MOST, 0.0), (ms(2000), true));
        assert_eq!(apply_hint(ms(3000), Some(ms(2000)), MOST, 0.0), (ms(3000), false));
    }

    #[test]
    fn a_wish_is_heeded_up_to_the_cap() {
        let day = Duration::from_secs(86_400);
        assert_eq!(apply_hint(ms(100), Some(day), MOST, 0.9), (MOST, true));
        assert_eq!(apply_hint(ms(100), Some(Duration::MAX), MOST, 0.9), (MOST, true));
    }

    #[test]
    fn callers_with_the_same_wish_do_not_come_back_together() {
        let at = |random| apply_hint(ms(10), Some(ms(2000)), MOST, random).0;
        assert!(at(0.1) != at(0.7) && at(0.99) < ms(2500));
        let long = apply_hint(ms(10), Some(Duration::from_secs(60)), MOST, ALMOST_ONE).0;
        assert!(long <= Duration::from_secs(61));
    }

    #[test]
    fn a_wish_below_the_backoff_changes_nothing_and_one_above_replaces_it() {
        assert_eq!(apply_hint(ms(50), Some(ms(3000)), MOST, 0.0).0, ms(3000));
        assert_eq!(apply_hint(ms(50), Some(ms(10)), MOST, 0.0).0, ms(50));
    }

    fn any_duration() -> impl Strategy<Value = Duration> {
        prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::MAX),
            (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(s, n)| Duration::new(s, n)),
            (0..600_000_u64).prop_map(Duration::from_millis),
        ]
    }

    proptest! {
        #[test]
        fn law_no_wait_is_over_the_cap(
            base in any_duration(), cap in any_duration(), factor in proptest::num::f64::ANY,
            retry in prop_oneof![any::<u32>(), 0..40_u32], random in proptest::num::f64::ANY,
        ) {
            let backoff = Exponential { base, factor, cap };
            prop_assert!(backoff.ceiling(retry) <= cap);
            prop_assert!(backoff.wait(retry, random) <= backoff.ceiling(retry));
        }

        #[test]
        fn law_a_valid_ceiling_never_falls_with_the_retries(
            base in 1..10_000_u64, cap in 1..100_000_u64, factor in 1.0..10.0_f64, retry in 0..2_000_u32,
        ) {
            let backoff = Exponential { base: ms(base), factor, cap: ms(cap) };
            prop_assert!(backoff.ceiling(retry) <= backoff.ceiling(retry + 1));
        }

        #[test]
        fn law_a_wait_is_never_below_the_least_nor_below_a_wish_under_the_cap(
            backoff in any_duration(), wish in proptest::option::of(any_duration()), random in 0.0..1.0_f64,
        ) {
            let (wait, _) = apply_hint(backoff, wish, MOST, random);
            prop_assert!(wait >= LEAST_WAIT && wait >= backoff);
            prop_assert!(wait >= wish.unwrap_or_default().min(MOST));
            prop_assert!(wait <= backoff.max(MOST));
        }
    }
}
