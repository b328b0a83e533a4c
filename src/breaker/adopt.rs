//! The state of a breaker under a new policy.

use tokio::time::Instant;

use super::{
    BreakerPolicy,
    machine::{Machine, StateData},
    open_backoff::OpenBackoff,
};
use crate::time::saturating_add;

// === impl Machine ===

impl Machine {
    /// Goes on under a new policy. The state, the counts within the window and the number of openings stay; an open breaker stays
    /// open until the same instant, unless no breaker of the new policy stays open that long. Changes no state, so there is
    /// nothing to emit.
    pub(super) fn adopt(&mut self, policy: &BreakerPolicy, now: Instant) {
        self.window.resize(policy.window, now);
        if let StateData::Open { until } = &mut self.mode {
            let longest = self.opened_by.map(|why| OpenBackoff::longest(policy, why));
            let latest = longest.map_or(*until, |longest| saturating_add(now, longest));
            *until = (*until).min(latest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        breaker::{CircuitBreaker, CircuitState, circuit::BreakerLinks},
        outcome::Outcome,
        route_state::Replaceable,
    };

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn policy() -> BreakerPolicy {
        BreakerPolicy::default().consecutive_failures(3).jitter(0.0)
    }

    /// A breaker after `failures`, and the policy that it follows.
    fn failed(failures: u32, now: Instant) -> (Replaceable<BreakerPolicy>, CircuitBreaker) {
        let settings = Replaceable::new(policy());
        let breaker = CircuitBreaker::with(&settings, now, BreakerLinks::default());
        (0..failures).for_each(|_| fail(&breaker, now));
        (settings, breaker)
    }

    fn fail(breaker: &CircuitBreaker, now: Instant) {
        let permit = breaker.try_acquire(now, 0.5).expect("it is closed");
        permit.record(Outcome::Unreachable, now);
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_breaker_stays_open_until_the_same_instant() {
        let now = Instant::now();
        let (settings, breaker) = failed(3, now);
        let until = breaker.open_until(now).expect("it is open");
        tokio::time::advance(s(2)).await;
        for policy in [policy(), policy().consecutive_failures(50).open_backoff(s(9)..=s(60))] {
            settings.replace(policy);
            assert_eq!(breaker.open_until(Instant::now()), Some(until));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_breaker_is_open_no_longer_than_the_new_policy_allows() {
        let now = Instant::now();
        let (settings, breaker) = failed(3, now);
        let hint = policy().open_backoff(s(1)..=s(1)).max_hint(s(2));
        settings.replace(hint);
        assert_eq!(breaker.open_until(now), Some(now + s(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn new_thresholds_apply_to_the_counts_so_far() {
        let now = Instant::now();
        let (settings, breaker) = failed(2, now);
        settings.replace(policy().consecutive_failures(10));
        (0..7).for_each(|_| fail(&breaker, now));
        assert_eq!(breaker.snapshot(now).consecutive_failures, 9);
        settings.replace(policy());
        assert_eq!(breaker.snapshot(now).state, CircuitState::Closed, "it opens at a failure");
        fail(&breaker, now);
        assert_eq!(breaker.snapshot(now).state, CircuitState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_window_forgets_what_is_older() {
        let start = Instant::now();
        let (settings, breaker) = failed(1, start);
        tokio::time::advance(s(8)).await;
        fail(&breaker, Instant::now());
        settings.replace(policy().window(s(60)));
        assert_eq!(breaker.snapshot(Instant::now()).calls, 2);
        // A tenth of the longer window is as exact as it gets.
        settings.replace(policy().window(s(1)));
        assert_eq!(breaker.snapshot(Instant::now()).calls, 1);
    }
}
