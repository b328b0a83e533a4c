//! Throttling on our own side: what would be refused anyway is not sent.
//!
//! After "Handling Overload" in the SRE book: of the calls of the last two minutes so many were asked for and so many were
//! taken; once fewer than one in `k` is taken, the surplus is dropped here, by chance, in proportion. It needs no signal from
//! the provider but its refusals, and it is gentler than an open breaker: part of the calls goes on.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    ConfigError,
    breaker::{Tally, Window},
    outcome::Outcome,
    time::saturating_add,
};

/// When calls are dropped on our own side, and how many.
///
/// # Defaults
///
/// | what | default | why |
/// |---|---|---|
/// | [`k`](Self::k) | 2 | the SRE book: half of what is sent may be refused, so that recovery is seen soon |
/// | [`most`](Self::most) | 0.9 | one in ten always tries, so what is known never grows old |
/// | [`minimum`](Self::minimum) | 10 calls | fewer are no share of anything |
/// | [`window`](Self::window) | 2 min | the SRE book |
/// | [`pass_every`](Self::pass_every) | 1 s | go-zero: a small bot does not wait for chance |
#[derive(Clone, Debug, PartialEq)]
pub struct AdmissionPolicy {
    k: f64,
    most: f64,
    minimum: u32,
    window: Duration,
    pass_every: Duration,
}

/// What was asked for and taken lately. Plain state under the lock of its owner.
///
/// A call counts once it is known what became of it: a call dropped here at once, any other by [`taken`](Self::taken) or
/// [`turned_away`](Self::turned_away). Were it counted when it is sent, fifty calls of three minutes that are under way
/// would look like fifty refusals.
#[derive(Debug)]
pub(crate) struct Admission {
    policy: AdmissionPolicy,
    window: Window<Asked>,
    passed: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    requests: u32,
    accepts: u32,
}

// === impl AdmissionPolicy ===

impl AdmissionPolicy {
    /// How many calls are sent for each that is taken.
    #[must_use]
    pub fn k(mut self, times: f64) -> Self {
        self.k = times;
        self
    }

    /// The largest share of calls that is dropped.
    #[must_use]
    pub fn most(mut self, share: f64) -> Self {
        self.most = share;
        self
    }

    /// With fewer calls in the window none is dropped.
    #[must_use]
    pub fn minimum(mut self, calls: u32) -> Self {
        self.minimum = calls;
        self
    }

    /// How far back calls are counted.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// When none has passed for so long, the next one does.
    #[must_use]
    pub fn pass_every(mut self, time: Duration) -> Self {
        self.pass_every = time;
        self
    }

    /// Refuses values that would drop what is taken, or everything.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let refused = |field: &str, value: &dyn std::fmt::Debug, allowed: &str| {
            Err(ConfigError::new(format!("limit.admission.{field}"), value, allowed))
        };
        if !(1.0..=1000.0).contains(&self.k) {
            return refused("k", &self.k, "1 to 1000");
        }
        if !(self.most > 0.0 && self.most < 1.0) {
            return refused("most", &self.most, "above 0, below 1");
        }
        if self.minimum == 0 {
            return refused("minimum", &self.minimum, "1 and more");
        }
        if self.window < Duration::from_secs(1) {
            return refused("window", &self.window, "1s and more");
        }
        if self.pass_every.is_zero() || self.pass_every > self.window {
            return refused("pass_every", &self.pass_every, "above 0, at most the window");
        }
        Ok(())
    }
}

impl Default for AdmissionPolicy {
    fn default() -> Self {
        Self {
            k: 2.0,
            most: 0.9,
            minimum: 10,
            window: Duration::from_secs(120),
            pass_every: Duration::from_secs(1),
        }
    }
}

// === impl Admission ===

impl Admission {
    /// Nothing known yet, of a policy that was checked.
    pub(crate) fn new(policy: AdmissionPolicy, now: Instant) -> Self {
        Self { window: Window::new(policy.window, now), policy, passed: None }
    }

    /// Whether a call may be sent; otherwise when the next one certainly may. `chance` is from 0 to 1, 1 excluded.
    pub(crate) fn admit(&mut self, now: Instant, chance: f64) -> Result<(), Duration> {
        let sum = self.window.sum(now);
        let due = self.passed.map_or(now, |passed| saturating_add(passed, self.policy.pass_every));
        if now >= due || chance >= self.policy.drop_share(sum) {
            self.passed = Some(now);
            return Ok(());
        }
        self.window.add(Asked { requests: 1, accepts: 0 }, now);
        Err(due - now)
    }

    /// The provider took a call that was sent, whatever came of it later.
    pub(crate) fn taken(&mut self, now: Instant) {
        self.window.add(Asked { requests: 1, accepts: 1 }, now);
    }

    /// What came of a call that was sent.
    pub(crate) fn learn(&mut self, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::RateLimited { .. } | Outcome::Unavailable { .. } => self.turned_away(now),
            Outcome::NotSent { .. } | Outcome::Cancelled => (),
            _ => self.taken(now),
        }
    }

    /// It had no room for one: 429, 503, 529. Other failures say nothing about room, and are [`taken`](Self::taken).
    pub(crate) fn turned_away(&mut self, now: Instant) {
        self.window.add(Asked { requests: 1, accepts: 0 }, now);
    }
}

impl AdmissionPolicy {
    fn drop_share(&self, Asked { requests, accepts }: Asked) -> f64 {
        if requests < self.minimum {
            return 0.0;
        }
        let (requests, accepts) = (f64::from(requests), f64::from(accepts));
        ((requests - self.k * accepts) / (requests + 1.0)).clamp(0.0, self.most)
    }
}

impl Tally for Asked {
    fn add(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.accepts = self.accepts.saturating_add(other.accepts);
    }

    fn take_out(&mut self, other: Self) {
        self.requests = self.requests.saturating_sub(other.requests);
        self.accepts = self.accepts.saturating_sub(other.accepts);
    }
}

#[cfg(test)]
mod tests {
    //! `adm-sre-97` and the formula of `shd-fsgo-94` are here. Left out: `adm-fngl-98`, an average that decays instead of a
    //! window; the queue of `shd-fsgo-94`.

    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn asked(requests: u32, accepts: u32) -> Asked {
        Asked { requests, accepts }
    }

    #[test]
    fn adm_sre_97_the_surplus_is_dropped() {
        let policy = AdmissionPolicy { most: 1.0, ..AdmissionPolicy::default() };
        for (requests, accepts, share) in [
            (100, 100, 0.0),
            (100, 50, 0.0),
            (100, 25, 0.49504950495049505),
            (100, 0, 0.9900990099009901),
            (10_000_100, 100, 0.999979900203008),
        ] {
            assert!((policy.drop_share(asked(requests, accepts)) - share).abs() < 1e-12);
        }
    }

    #[test]
    fn adm_sre_97_few_calls_are_no_share_of_anything() {
        let policy = AdmissionPolicy::default().minimum(100);
        assert_eq!(policy.drop_share(asked(99, 0)), 0.0);
        assert_eq!(policy.drop_share(asked(200, 200)), 0.0);
        assert_eq!(AdmissionPolicy::default().k(5.0).minimum(5).drop_share(asked(4, 0)), 0.0);
    }

    #[test]
    fn shd_fsgo_94_the_share_is_bounded() {
        let policy = AdmissionPolicy::default().k(1.0 / 0.9).most(0.8).minimum(1);
        for (requests, accepts, share) in [
            (100, 95, 0.0),
            (120, 90, 0.1652892561983471),
            (1000, 10, 0.8),
            (0, 0, 0.0),
            (100, 0, 0.8),
            (100, 90, 0.0),
            (1, 0, 0.5),
        ] {
            assert!((policy.drop_share(asked(requests, accepts)) - share).abs() < 1e-12);
        }
    }

    #[test]
    fn a_provider_that_refuses_everything_is_asked_once_a_second_and_forgotten_about_after_the_window()
     {
        let start = Instant::now();
        let mut admission = Admission::new(AdmissionPolicy::default(), start);
        (0..10).for_each(|_| admission.turned_away(start));
        assert_eq!(admission.admit(start, 0.0), Ok(()), "nothing has passed yet");
        assert_eq!(admission.admit(start + ms(300), 0.0), Err(ms(700)));
        assert_eq!(admission.admit(start + ms(300), 0.95), Ok(()), "by chance");
        assert_eq!(admission.admit(start + ms(1299), 0.0), Err(ms(1)));
        assert_eq!(admission.admit(start + ms(1300), 0.0), Ok(()));
        assert_eq!(admission.admit(start + ms(121_500), 0.0), Ok(()));
        assert_eq!(admission.admit(start + ms(121_501), 0.0), Ok(()), "what is old is forgotten");
    }

    #[test]
    fn calls_that_are_under_way_are_not_taken_for_refusals() {
        let start = Instant::now();
        let mut admission = Admission::new(AdmissionPolicy::default(), start);
        (0..1000).for_each(|_| assert_eq!(admission.admit(start, 0.0), Ok(())));
    }

    #[test]
    fn once_it_takes_calls_again_none_is_dropped_within_two_windows() {
        let start = Instant::now();
        let mut admission = Admission::new(AdmissionPolicy::default(), start);
        (0..1000).for_each(|_| admission.turned_away(start));
        let (mut dropped, mut random) = (0, 1_u64);
        for tenth in 0..2600 {
            let now = start + ms(100 * tenth);
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let chance = (random >> 40) as f64 / f64::from(1 << 24);
            match admission.admit(now, chance) {
                Ok(()) => admission.taken(now),
                Err(_) => {
                    dropped += 1;
                    assert!(tenth < 2400, "still dropped at {tenth}");
                }
            }
        }
        assert!(dropped > 100);
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        let policy = AdmissionPolicy::default;
        for (wrong, field) in [
            (policy().k(0.9), "limit.admission.k"),
            (policy().k(f64::NAN), "limit.admission.k"),
            (policy().most(1.0), "limit.admission.most"),
            (policy().most(0.0), "limit.admission.most"),
            (policy().minimum(0), "limit.admission.minimum"),
            (policy().window(ms(999)), "limit.admission.window"),
            (policy().pass_every(ms(0)), "limit.admission.pass_every"),
            (policy().pass_every(ms(120_001)), "limit.admission.pass_every"),
        ] {
            assert_eq!(wrong.check().expect_err(field).field(), field);
        }
        assert_eq!(policy().check(), Ok(()));
    }

    proptest! {
        #[test]
        fn law_never_more_than_the_most_and_none_while_enough_are_taken(
            requests in 0..100_000_u32,
            accepted in 0.0..=1.0_f64,
            k in 1.0..10.0_f64,
        ) {
            let accepts = (f64::from(requests) * accepted) as u32;
            let share = AdmissionPolicy::default().k(k).drop_share(asked(requests, accepts));
            prop_assert!((0.0..=0.9).contains(&share));
            if f64::from(accepts) * k >= f64::from(requests) {
                prop_assert_eq!(share, 0.0);
            }
        }

        /// Whatever the chance and whatever the provider does, under load no second goes by without a call that passes, and
        /// a refusal says exactly by when.
        #[test]
        fn law_at_most_a_second_between_two_that_pass(
            steps in prop::collection::vec((1..200_u64, 0.0..1.0_f64, any::<bool>()), 1..500),
        ) {
            let mut now = Instant::now();
            let mut admission = Admission::new(AdmissionPolicy::default(), now);
            (0..50).for_each(|_| admission.turned_away(now));
            let mut passed = now;
            for (wait, chance, taken) in steps {
                now += ms(wait);
                match admission.admit(now, chance) {
                    Ok(()) => {
                        prop_assert!(now - passed <= ms(1000 + 200));
                        passed = now;
                        if taken { admission.taken(now) } else { admission.turned_away(now) }
                    }
                    Err(wait) => {
                        prop_assert!(now - passed < ms(1000));
                        prop_assert_eq!(now + wait, passed + ms(1000));
                    }
                }
            }
        }
    }
}
