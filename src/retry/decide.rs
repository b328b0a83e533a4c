//! Decides whether there is a further attempt, and after what wait. Pure: the time and the randomness are arguments.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use super::{
    RetryPolicy,
    backoff::{LEAST_WAIT, Waits, apply_hint},
};
use crate::{
    context::TargetBudget,
    outcome::{Outcome, Verdict},
    telemetry::StopReason,
    time::Limit,
};

/// The retries of one call on one fallback.
pub(crate) struct RetryState {
    made: u32,
    once: bool,
    /// Whether the one retry of an outcome that may have been billed is used.
    risked: bool,
    waits: Option<Waits>,
    /// The time that an attempt needs, if it is not set by the policy.
    least: Option<Duration>,
    /// The budget shared by all attempts of the call, if other attempts than these retries are made.
    shared: Option<TargetBudget>,
    /// Whether the custom schedule has panicked, which ends it.
    panicked: bool,
}

/// The decision after an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Return the result to the caller: an answer, or a failure that no retry can help.
    Return,
    /// Return the failure to the caller although a retry might have helped.
    Stop(StopReason),
    /// Try again after `wait`.
    Again { wait: Duration, hinted: bool },
    /// Another of the equal targets is asked at once.
    OtherTarget,
}

// === impl RetryState ===

impl RetryState {
    /// Creates the state without any retry. `once`: the body of the request can be sent only once.
    pub(crate) fn new(once: bool) -> Self {
        Self {
            made: 0,
            once,
            risked: false,
            waits: None,
            least: None,
            shared: None,
            panicked: false,
        }
    }

    /// Sets the limits of the whole call.
    pub(crate) fn within(self, least: Option<Duration>, shared: Option<TargetBudget>) -> Self {
        Self { least, shared, ..self }
    }

    /// Gives back the last retry, which was not sent. Returns `false` if there was none.
    pub(crate) fn give_back(&mut self) -> bool {
        let any = self.made > 0;
        if any {
            self.made -= 1;
            self.shared.iter().for_each(TargetBudget::give_back);
        }
        any
    }

    fn least(&self, policy: &RetryPolicy) -> Duration {
        match policy.min_attempt_time {
            Limit::Default(usual) => usual.min(self.least.unwrap_or(usual)),
            Limit::Set(least) => least,
        }
    }

    /// Whether a retry is left; one after a `risky` outcome may be billed twice.
    fn has(&self, policy: &RetryPolicy, risky: bool) -> bool {
        let (more, once) = match &self.shared {
            Some(shared) => (shared.has(policy.retries), shared.may_repeat()),
            None => (policy.retries.is_none_or(|retries| self.made < retries), !self.risked),
        };
        more && (once || !risky)
    }

    /// Takes the retry; returns `false` if another attempt of the call has taken it meanwhile.
    fn take(&mut self, policy: &RetryPolicy, risky: bool) -> bool {
        self.made += 1;
        self.risked |= risky;
        match &self.shared {
            Some(shared) => shared.take(policy.retries) && (!risky || shared.repeat()),
            None => true,
        }
    }

    /// Whether a further attempt is possible after the one that is about to start: if not, the request need not be kept.
    pub(crate) fn possible(&self, policy: &RetryPolicy, left: Option<Duration>) -> bool {
        !self.once && self.has(policy, false) && fits(LEAST_WAIT, self.least(policy), left)
    }

    /// Decides after an attempt with `verdict`, with `left` until the deadline.
    pub(crate) fn next_same(
        &mut self,
        verdict: &Verdict,
        policy: &RetryPolicy,
        left: Option<Duration>,
        random: f64,
    ) -> Decision {
        if !verdict.is_retryable() {
            return Decision::Return;
        }
        if self.once {
            return Decision::Stop(StopReason::Once);
        }
        let risky = verdict.outcome().retry_at_most_once();
        if !self.has(policy, risky) {
            return Decision::Stop(StopReason::Exhausted);
        }
        let Some(backoff) = self.backoff(policy, random) else {
            return Decision::Stop(StopReason::Exhausted);
        };
        let wish = verdict.outcome().wait();
        let (wait, hinted) = apply_hint(backoff, wish, policy.max_hint, random);
        if !fits(wait, self.least(policy), left) {
            return Decision::Stop(StopReason::Deadline);
        }
        match self.take(policy, risky) {
            true => Decision::Again { wait, hinted },
            false => Decision::Stop(StopReason::Exhausted),
        }
    }

    /// Decides after an attempt while another equal target is left: it is tried at once, if it may have another result. If no
    /// request was sent, this still counts as the same attempt, not as a retry.
    pub(crate) fn next_other(
        &mut self,
        verdict: &Verdict,
        policy: &RetryPolicy,
        left: Option<Duration>,
    ) -> Decision {
        let outcome = verdict.outcome();
        if !outcome.may_differ() {
            return Decision::Return;
        }
        if self.once {
            return Decision::Stop(StopReason::Once);
        }
        if matches!(outcome, Outcome::NotSent { .. }) {
            return Decision::OtherTarget;
        }
        let risky = outcome.retry_at_most_once();
        if !self.has(policy, risky) {
            return Decision::Stop(StopReason::Exhausted);
        }
        if !fits(Duration::ZERO, self.least(policy), left) {
            return Decision::Stop(StopReason::Deadline);
        }
        match self.take(policy, risky) {
            true => Decision::OtherTarget,
            false => Decision::Stop(StopReason::Exhausted),
        }
    }

    /// Whether the custom schedule has panicked.
    pub(crate) fn has_panicked(&self) -> bool {
        self.panicked
    }

    fn backoff(&mut self, policy: &RetryPolicy, random: f64) -> Option<Duration> {
        match &policy.schedule {
            Some(_) if self.panicked => None,
            Some(schedule) => {
                let next = || self.waits.get_or_insert_with(|| schedule.waits()).next();
                let next = catch_unwind(AssertUnwindSafe(next));
                self.panicked = next.is_err();
                next.unwrap_or_default()
            }
            None => Some(policy.backoff.wait(self.made, random)),
        }
    }
}

/// Whether a wait and an attempt after it fit into the time until the deadline.
fn fits(wait: Duration, least: Duration, left: Option<Duration>) -> bool {
    left.is_none_or(|left| wait.saturating_add(least) <= left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::{Phase, Rejection};

    const DOWN: Outcome = Outcome::Unavailable { wait: None };

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn after(retries: &mut RetryState, outcome: Outcome) -> Decision {
        retries.next_same(&outcome.into(), &RetryPolicy::new(), None, 0.5)
    }

    #[test]
    fn two_retries_and_no_third() {
        let mut retries = RetryState::new(false);
        let again = |ms| Decision::Again { wait: Duration::from_millis(ms), hinted: false };
        assert_eq!(after(&mut retries, DOWN), again(125));
        assert_eq!(after(&mut retries, DOWN), again(250));
        assert_eq!(after(&mut retries, DOWN), Decision::Stop(StopReason::Exhausted));
    }

    #[test]
    fn a_broken_connection_is_risked_once() {
        let mut retries = RetryState::new(false);
        assert!(matches!(after(&mut retries, Outcome::ConnectionLost), Decision::Again { .. }));
        assert_eq!(
            after(&mut retries, Outcome::ConnectionLost),
            Decision::Stop(StopReason::Exhausted)
        );
    }

    #[test]
    fn a_broken_connection_is_risked_once_also_with_another_failure_between() {
        let mut retries = RetryState::new(false);
        let policy = RetryPolicy::new().retries(9);
        let mut after = |outcome: Outcome| retries.next_same(&outcome.into(), &policy, None, 0.5);
        assert!(matches!(after(Outcome::ConnectionLost), Decision::Again { .. }));
        assert!(matches!(after(DOWN), Decision::Again { .. }));
        assert_eq!(after(Outcome::ConnectionLost), Decision::Stop(StopReason::Exhausted));
    }

    #[test]
    fn what_no_retry_helps_is_returned_before_any_limit_is_asked() {
        let outcomes = [
            Outcome::Success,
            Outcome::QuotaExhausted { wait: Some(secs(1)) },
            Outcome::TimedOut { phase: Phase::Attempt },
            Outcome::TooLarge,
            Outcome::Blocked,
            Outcome::Rejected { why: Rejection::Request },
            Outcome::NotSent { retry_in: Some(secs(1)) },
            Outcome::Cancelled,
        ];
        for outcome in outcomes {
            assert_eq!(after(&mut RetryState::new(true), outcome), Decision::Return, "{outcome}");
        }
    }

    #[test]
    fn the_provider_can_forbid_a_retry_and_cannot_order_one() {
        let after = |verdict: Verdict| {
            RetryState::new(false).next_same(&verdict, &RetryPolicy::new(), None, 0.5)
        };
        let no = Verdict::new(DOWN).should_retry(Some(false));
        assert_eq!(after(no), Decision::Return);
        let yes = Verdict::new(Outcome::Blocked).should_retry(Some(true));
        assert_eq!(after(yes), Decision::Return);
    }

    #[test]
    fn a_body_that_can_be_sent_once_is() {
        assert_eq!(after(&mut RetryState::new(true), DOWN), Decision::Stop(StopReason::Once));
        assert!(!RetryState::new(true).possible(&RetryPolicy::new(), None));
    }

    #[test]
    fn the_wait_and_the_attempt_after_it_have_to_fit() {
        let limited = Verdict::new(Outcome::RateLimited { wait: Some(secs(10)) });
        let after =
            |left| RetryState::new(false).next_same(&limited, &RetryPolicy::new(), Some(left), 0.0);
        assert_eq!(after(secs(11)), Decision::Again { wait: secs(10), hinted: true });
        let short = secs(11) - Duration::from_millis(1);
        assert_eq!(after(short), Decision::Stop(StopReason::Deadline));
    }

    #[test]
    fn a_request_is_kept_only_while_a_retry_can_still_come() {
        let policy = RetryPolicy::new();
        let mut retries = RetryState::new(false);
        assert!(retries.possible(&policy, None) && retries.possible(&policy, Some(secs(2))));
        assert!(!retries.possible(&policy, Some(secs(1))));
        after(&mut retries, DOWN);
        after(&mut retries, DOWN);
        assert!(!retries.possible(&policy, None));
    }

    #[test]
    fn a_schedule_of_ones_own_is_followed_to_its_end() {
        let policy = RetryPolicy::new().schedule(|| {
            let linear = (1..).map(Duration::from_secs);
            let mut sum = Duration::ZERO;
            linear.take_while(move |wait| {
                let go_on = sum < secs(9);
                sum += *wait;
                go_on
            })
        });
        let mut retries = RetryState::new(false);
        for wait in 1..=4 {
            let again = Decision::Again { wait: secs(wait), hinted: false };
            assert_eq!(retries.next_same(&DOWN.into(), &policy, None, 0.9), again);
        }
        let over = retries.next_same(&DOWN.into(), &policy, None, 0.9);
        assert_eq!(over, Decision::Stop(StopReason::Exhausted));
    }

    #[test]
    fn a_schedule_of_ones_own_can_be_bounded_in_number() {
        let policy = RetryPolicy::new().schedule(|| std::iter::repeat(secs(1))).retries(1);
        let mut retries = RetryState::new(false);
        let mut after = || retries.next_same(&DOWN.into(), &policy, None, 0.9);
        assert!(matches!(after(), Decision::Again { .. }));
        assert_eq!(after(), Decision::Stop(StopReason::Exhausted));
    }

    #[test]
    fn a_schedule_without_waits_makes_no_hot_loop() {
        let policy = RetryPolicy::new().schedule(|| std::iter::repeat(Duration::ZERO));
        let decision = RetryState::new(false).next_same(&DOWN.into(), &policy, None, 0.0);
        assert_eq!(decision, Decision::Again { wait: LEAST_WAIT, hinted: false });
    }

    #[test]
    fn each_call_has_a_schedule_of_its_own() {
        let policy = RetryPolicy::new().schedule(|| std::iter::once(secs(3)));
        for _ in 0..2 {
            let decision = RetryState::new(false).next_same(&DOWN.into(), &policy, None, 0.0);
            assert_eq!(decision, Decision::Again { wait: secs(3), hinted: false });
        }
    }

    #[test]
    fn an_equal_is_asked_at_once_for_all_that_it_may_not_have() {
        let policy = RetryPolicy::new();
        let elsewhere = |outcome: Outcome| {
            RetryState::new(false).next_other(&outcome.into(), &policy, Some(secs(1)))
        };
        let others = [
            DOWN,
            Outcome::RateLimited { wait: Some(secs(90)) },
            Outcome::QuotaExhausted { wait: None },
            Outcome::TimedOut { phase: Phase::FirstEvent },
            Outcome::Rejected { why: Rejection::Credential },
            Outcome::NotSent { retry_in: None },
        ];
        for outcome in others {
            assert_eq!(elsewhere(outcome), Decision::OtherTarget, "{outcome}");
        }
        let same = [
            Outcome::Success,
            Outcome::TooLarge,
            Outcome::Blocked,
            Outcome::Rejected { why: Rejection::Request },
            Outcome::TimedOut { phase: Phase::Deadline },
            Outcome::Cancelled,
        ];
        for outcome in same {
            assert_eq!(elsewhere(outcome), Decision::Return, "{outcome}");
        }
    }

    #[test]
    fn an_equal_is_asked_within_the_retries_and_the_time_unless_nothing_was_sent() {
        let policy = RetryPolicy::new().retries(1);
        let refused = Verdict::new(Outcome::NotSent { retry_in: None });
        let mut retries = RetryState::new(false);
        let mut elsewhere =
            |verdict: &Verdict, left| retries.next_other(verdict, &policy, Some(left));
        let short = secs(1) - Duration::from_millis(1);
        assert_eq!(elsewhere(&DOWN.into(), short), Decision::Stop(StopReason::Deadline));
        for _ in 0..3 {
            assert_eq!(elsewhere(&refused, short), Decision::OtherTarget);
        }
        assert_eq!(elsewhere(&DOWN.into(), secs(1)), Decision::OtherTarget);
        assert_eq!(elsewhere(&DOWN.into(), secs(1)), Decision::Stop(StopReason::Exhausted));
    }

    fn any_outcome() -> impl Strategy<Value = Outcome> {
        let wait = proptest::option::of((0..300_000_u64).prop_map(Duration::from_millis));
        prop_oneof![
            wait.clone().prop_map(|wait| Outcome::Unavailable { wait }),
            wait.clone().prop_map(|wait| Outcome::RateLimited { wait }),
            wait.prop_map(|retry_in| Outcome::NotSent { retry_in }),
            Just(Outcome::ConnectionLost),
            Just(Outcome::Unreachable),
            Just(Outcome::Truncated),
            Just(Outcome::TimedOut { phase: Phase::Idle }),
        ]
    }

    proptest! {
        #[test]
        fn law_no_retry_starts_with_less_left_than_it_needs_and_none_without_a_kept_request(
            outcomes in proptest::collection::vec(any_outcome(), 1..12),
            left in 0..40_000_u64, random in 0.0..1.0_f64, most in 0..6_u32,
        ) {
            let policy = RetryPolicy::new().retries(most);
            let mut retries = RetryState::new(false);
            let mut left = Duration::from_millis(left);
            let mut made = 0;
            for outcome in outcomes {
                let kept = retries.possible(&policy, Some(left));
                if let Decision::Again { wait, .. } = retries.next_same(&outcome.into(), &policy, Some(left), random) {
                    prop_assert!(kept && outcome.is_retryable());
                    prop_assert!(wait + policy.min_attempt_time.time() <= left);
                    left -= wait;
                    made += 1;
                }
            }
            prop_assert!(made <= most);
        }
    }
}
