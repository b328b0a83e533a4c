//! How long a breaker stays open.

use std::time::Duration;

use crate::{
    breaker::{BreakerPolicy, TransitionReason, decision_input::DecisionInput},
    context::FIRST_PROBE,
};

/// How often a breaker opened since it was last closed; each opening lasts longer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenBackoff {
    ordinary: u32,
    exhausted: u32,
    unauthorized: u32,
}

// === impl OpenBackoff ===

impl OpenBackoff {
    /// The duration of the next opening. `wait` is the wait that the provider asked for.
    ///
    /// A dropped probe is no evidence about the provider: the breaker opens again for the same time as before.
    pub(crate) fn next(
        &mut self,
        at: DecisionInput<'_>,
        why: TransitionReason,
        wait: Option<Duration>,
    ) -> Duration {
        let policy = at.policy;
        let (own, most, cap) = match why {
            // A key can be fixed at any moment: it is tried again within seconds, after a minute at most.
            TransitionReason::Unauthorized => {
                let most = policy.open_backoff.end().saturating_mul(2);
                let own = doubled(*policy.open_backoff.start(), self.unauthorized, most);
                self.unauthorized = self.unauthorized.saturating_add(1);
                (own, most, policy.max_hint)
            }
            // A quota is not refilled within seconds.
            TransitionReason::Exhausted => {
                let most = *policy.quota_backoff.end();
                let guess = doubled(*policy.quota_backoff.start(), self.exhausted, most);
                self.exhausted = self.exhausted.saturating_add(1);
                // A known wait replaces the guess if it is shorter: a probe verifies it.
                (if wait.is_some() { *policy.open_backoff.start() } else { guess }, most, guess)
            }
            _ => {
                let dropped = why == TransitionReason::ProbeDropped;
                let times = self.ordinary.saturating_sub(u32::from(dropped));
                self.ordinary = self.ordinary.saturating_add(u32::from(!dropped));
                let hint = doubled(FIRST_PROBE, times, policy.max_hint);
                (
                    doubled(*policy.open_backoff.start(), times, *policy.open_backoff.end()),
                    *policy.open_backoff.end(),
                    hint,
                )
            }
        };
        let floor = wait.unwrap_or_default().min(cap);
        // The longest duration includes its jitter, so that the bound on the return to a healthy provider holds.
        let own = own.min(scaled(most, 1.0 / (1.0 + policy.jitter)));
        spread(own, floor, policy.jitter, at.random)
    }

    /// The longest duration of an opening for that reason, with its jitter.
    pub(crate) fn longest(policy: &BreakerPolicy, why: TransitionReason) -> Duration {
        let open = *policy.open_backoff.end();
        let (most, hint) = match why {
            TransitionReason::Unauthorized => (open.saturating_mul(2), policy.max_hint),
            TransitionReason::Exhausted => {
                (*policy.quota_backoff.end(), *policy.quota_backoff.end())
            }
            _ => (open, policy.max_hint),
        };
        most.max(hint).saturating_add(scaled(most, policy.jitter))
    }
}

/// Applies jitter to `own`, up or down. If `floor` is longer, returns `floor` plus jitter: a hint is never shortened, and
/// processes with the same hint do not return together.
fn spread(own: Duration, floor: Duration, jitter: f64, random: f64) -> Duration {
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 };
    if floor > own {
        floor.saturating_add(scaled(own, jitter * random))
    } else {
        scaled(own, 1.0 - jitter + 2.0 * jitter * random).max(floor)
    }
}

fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(most)
}

/// Scales a duration; returns it unchanged if the product is not a valid duration.
pub(crate) fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn at(policy: &BreakerPolicy, random: f64) -> DecisionInput<'_> {
        DecisionInput { policy, now: Instant::now(), random }
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn even() -> BreakerPolicy {
        BreakerPolicy::default().jitter(0.0)
    }

    fn lasting(policy: &BreakerPolicy, why: TransitionReason, waits: &[Option<u64>]) -> Vec<u64> {
        let mut openings = OpenBackoff::default();
        let mut next =
            |wait: &Option<u64>| openings.next(at(policy, 0.5), why, wait.map(s)).as_secs();
        waits.iter().map(&mut next).collect()
    }

    #[test]
    fn each_return_doubles_up_to_the_most() {
        let lasts = lasting(&even(), TransitionReason::Consecutive, &[None; 5]);
        assert_eq!(lasts, [5, 10, 20, 30, 30]);
    }

    #[test]
    fn exhaustion_lasts_a_minute_and_doubles_up_to_ten() {
        let lasts = lasting(&even(), TransitionReason::Exhausted, &[None; 5]);
        assert_eq!(lasts, [60, 120, 240, 480, 600]);
    }

    #[test]
    fn a_rejected_credential_is_tried_again_within_seconds_and_at_most_a_minute() {
        let lasts = lasting(&even(), TransitionReason::Unauthorized, &[None; 6]);
        assert_eq!(lasts, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn a_known_wait_takes_the_place_of_a_longer_guess() {
        let lasts = lasting(
            &even(),
            TransitionReason::Exhausted,
            &[Some(45), Some(45), Some(36_000), None],
        );
        assert_eq!(lasts, [45, 45, 240, 480]);
    }

    #[test]
    fn a_hint_is_a_floor_and_in_a_long_one_probes_find_out() {
        let lasts = lasting(&even(), TransitionReason::Ratio, &[Some(1), Some(60), Some(86_400)]);
        assert_eq!(lasts, [5, 60, 240]);
        let lasts = lasting(&even(), TransitionReason::Ratio, &[Some(86_400); 6]);
        assert_eq!(lasts, [60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn a_dropped_probe_waits_as_long_as_before() {
        let mut openings = OpenBackoff::default();
        let policy = even();
        let mut next = |why| openings.next(at(&policy, 0.5), why, None).as_secs();
        assert_eq!(next(TransitionReason::Consecutive), 5);
        assert_eq!(next(TransitionReason::ProbeFailed), 10);
        assert_eq!(next(TransitionReason::ProbeDropped), 10);
        assert_eq!(next(TransitionReason::ProbeDropped), 10);
        assert_eq!(next(TransitionReason::ProbeFailed), 20);
    }

    #[test]
    fn jitter_goes_both_ways_but_never_below_a_hint() {
        let policy = BreakerPolicy::default();
        for (wait, random, lasts) in
            [(0, 0.0, 4), (0, 1.0, 6), (5, 0.0, 5), (60, 0.0, 60), (60, 1.0, 61)]
        {
            let next = OpenBackoff::default().next(
                at(&policy, random),
                TransitionReason::Ratio,
                Some(s(wait)),
            );
            assert_eq!(next, s(lasts));
        }
    }

    #[test]
    fn the_longest_time_is_so_with_its_jitter() {
        let policy = BreakerPolicy::default();
        for (why, longest) in
            [(TransitionReason::ProbeFailed, s(30)), (TransitionReason::Exhausted, s(600))]
        {
            let mut openings = OpenBackoff::default();
            let lasts = (0..99).map(|_| openings.next(at(&policy, 1.0), why, None)).max().unwrap();
            assert!(lasts <= longest && lasts > longest - s(1), "{why}: {lasts:?}");
            let shortest = openings.next(at(&policy, 0.0), why, None);
            assert!(shortest < longest * 3 / 4, "{why}: they still do not come back together");
        }
    }

    #[test]
    fn no_chance_and_no_wait_can_break_it() {
        let policy = BreakerPolicy::default().max_hint(Duration::MAX);
        for random in [f64::NAN, f64::INFINITY, -1.0, 7.0] {
            let lasts =
                OpenBackoff::default().next(at(&policy, random), TransitionReason::Slow, None);
            assert!(lasts >= s(4) && lasts <= s(6), "{random} gave {lasts:?}");
        }
        let lasts = OpenBackoff::default().next(
            at(&policy, 0.9),
            TransitionReason::Slow,
            Some(Duration::MAX),
        );
        assert!(lasts >= s(60) && lasts <= s(61), "{lasts:?}");
    }
}
