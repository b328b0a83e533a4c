//! The growing share of calls that a recovering breaker lets through, which is lowered where too many of them fail.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    breaker::{BreakerPolicy, decision_input::DecisionInput, open_backoff::scaled, probes::soon},
    time::saturating_add,
};

/// Lets a share of the calls through, evenly: at one in ten, every tenth call, not two in a row at random and then none of
/// thirty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    since: Instant,
    /// The share at `since`.
    from: f64,
    /// The accumulated share: each call adds the share, and 1.0 lets a call through.
    credit: f64,
    /// When the last call was let through.
    last: Instant,
}

// === impl Ramp ===

impl Ramp {
    /// Creates a ramp that begins now, at the bottom, and lets its first call through.
    pub(crate) fn new(at: DecisionInput<'_>) -> Self {
        Self { since: at.now, from: at.policy.initial_share, credit: 1.0, last: at.now }
    }

    /// The ramp at half its share; `None` at the bottom.
    pub(crate) fn lower(&self, at: DecisionInput<'_>) -> Option<Self> {
        let bottom = at.policy.initial_share;
        let share = self.share(at);
        let from = (share / 2.0).max(bottom);
        let credit = self.credit.min(1.0);
        (share > 1.5 * bottom).then_some(Self { since: at.now, from, credit, ..*self })
    }

    /// The share of calls let through.
    pub(crate) fn share(&self, at: DecisionInput<'_>) -> f64 {
        let BreakerPolicy { ramp: recover, initial_share: recover_from, .. } = *at.policy;
        let gone = at.now.saturating_duration_since(self.since);
        let part = gone.as_secs_f64() / recover.as_secs_f64();
        (self.from + (1.0 - recover_from) * part).min(1.0)
    }

    /// Lets this call through, or returns when to retry: spread over the rest of the ramp, so that waiting calls return along it
    /// and not all at once.
    pub(crate) fn admit(&mut self, at: DecisionInput<'_>) -> Result<(), Duration> {
        // Ten times a tenth is slightly less than one. Where calls are as rare as probes, none has to be held back.
        let seldom = saturating_add(self.last, *at.policy.open_backoff.start()) <= at.now;
        let through = seldom || self.credit >= 1.0 - 1e-9;
        if through {
            self.credit = (self.credit - 1.0).max(0.0);
            self.last = at.now;
        }
        self.credit += self.share(at);
        let left = self.ends(at.policy).saturating_duration_since(at.now);
        if through { Ok(()) } else { Err(soon(left, at.random)) }
    }

    /// When all calls are let through.
    pub(crate) fn ends(&self, policy: &BreakerPolicy) -> Instant {
        let BreakerPolicy { ramp: recover, initial_share: recover_from, .. } = *policy;
        let whole = 1.0 - recover_from;
        let left = if whole > 0.0 { (1.0 - self.from) / whole } else { 1.0 };
        saturating_add(self.since, scaled(recover, left))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(policy: &BreakerPolicy, now: Instant) -> DecisionInput<'_> {
        DecisionInput { policy, now, random: 0.5 }
    }

    #[test]
    fn one_in_ten_is_each_tenth_call_and_no_cluster() {
        let policy = BreakerPolicy::default();
        let now = Instant::now();
        let mut ramp = Ramp::new(at(&policy, now));
        let mut passes = |_: &i32| ramp.admit(at(&policy, now)).is_ok();
        let passed: Vec<_> = (0..40).filter(&mut passes).collect();
        assert_eq!(passed, [0, 10, 20, 30]);
    }

    #[test]
    fn the_share_grows_in_a_straight_line_to_all() {
        let policy = BreakerPolicy::default();
        let now = Instant::now();
        let ramp = Ramp::new(at(&policy, now));
        for (millis, share) in [(0, 0.1), (10_000, 0.55), (20_000, 1.0), (90_000, 1.0)] {
            assert!((ramp.share(at(&policy, now + ms(millis))) - share).abs() < 1e-9);
        }
    }

    #[test]
    fn calls_that_wait_are_asked_to_come_back_along_the_ramp() {
        let policy = BreakerPolicy::default();
        let now = Instant::now();
        let mut ramp = Ramp::new(at(&policy, now));
        assert!(ramp.admit(at(&policy, now)).is_ok());
        let mut asked =
            |random| ramp.admit(DecisionInput { policy: &policy, now, random }).unwrap_err();
        assert_eq!(asked(0.25), ms(5000));
        assert_eq!(asked(0.75), ms(15_000));
        assert_eq!(asked(0.0), ms(100));
    }

    #[test]
    fn a_step_down_halves_the_share_and_goes_on_from_there_but_not_below_the_bottom() {
        let policy = BreakerPolicy::default();
        let now = Instant::now();
        let ramp = Ramp::new(at(&policy, now));
        assert!(ramp.lower(at(&policy, now)).is_none());
        let then = now + ms(10_000);
        let lower = ramp.lower(at(&policy, then)).expect("at 0.55");
        assert!((lower.share(at(&policy, then)) - 0.275).abs() < 1e-9);
        let again = lower.lower(at(&policy, then)).expect("at 0.275");
        assert!((again.share(at(&policy, then)) - 0.1375).abs() < 1e-9);
        assert!(again.lower(at(&policy, then)).is_none(), "half of that is the bottom");
        let ends = lower.ends(&policy);
        assert!((lower.share(at(&policy, ends)) - 1.0).abs() < 1e-6);
        assert!(lower.share(at(&policy, ends - ms(100))) < 1.0);
    }

    proptest! {
        /// In any sequence of calls the number that passes is the sum of their shares, give or take one.
        #[test]
        fn as_many_pass_as_the_shares_add_up_to(gaps in prop::collection::vec(0_u64..400, 1..200)) {
            let policy = BreakerPolicy::default();
            let mut now = Instant::now();
            let mut ramp = Ramp::new(at(&policy, now));
            let (mut passed, mut sum) = (0_u32, 0.0);
            for gap in gaps {
                now += ms(gap);
                sum += ramp.share(at(&policy, now));
                passed += u32::from(ramp.admit(at(&policy, now)).is_ok());
                prop_assert!((f64::from(passed) - sum).abs() <= 1.0 + 1e-6);
            }
        }
    }
}
