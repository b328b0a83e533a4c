//! The state of the limits of a route under a new policy.

use super::{DecisionInput, RouteLimiterState};
use crate::limit::policy::LimitPolicy;

// === impl RouteLimiterState ===

impl RouteLimiterState {
    /// Goes on under the policy `after`. Attempts under way still count, calls that wait keep their order, and what the provider
    /// has reported stays. Only what differs from the policy `before` changes.
    pub(in crate::limit) fn adopt(
        &mut self,
        before: &LimitPolicy,
        after: &LimitPolicy,
        input: DecisionInput,
    ) {
        self.max_queue = after.max_queue;
        self.queue.set_batch_every(after.batch_every());
        self.cooldown.set_default_wait(after.cooldown_without_hint);
        if before.concurrency != after.concurrency {
            self.concurrency.adopt(&after.concurrency);
        }
        self.quotas.adopt(before, after, self.last_number, input.now);
        // There may be room for more calls now.
        self.admit_queued(input);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::{
        context::Priority,
        limit::{
            AdaptivePolicy, Concurrency,
            cost::Cost,
            state::{Admission, AdmissionRequest, Feedback, Grant},
        },
        outcome::Outcome,
    };

    fn at(now: Instant) -> DecisionInput {
        DecisionInput { now, random: 0.5 }
    }

    fn ask(state: &mut RouteLimiterState, now: Instant) -> Admission {
        let (priority, cost) = (Priority::Interactive, Cost::REQUEST);
        let call = AdmissionRequest { priority, cost, latest_start: None, may_queue: true };
        state.admit(call, at(now))
    }

    fn sent(state: &mut RouteLimiterState, now: Instant) -> Grant {
        match ask(state, now) {
            Admission::Admitted(grant) => grant,
            other => panic!("it has room: {other:?}"),
        }
    }

    fn fixed(calls: u32) -> LimitPolicy {
        LimitPolicy::new().concurrency(Concurrency::Fixed(calls))
    }

    fn adaptive(initial: u32) -> LimitPolicy {
        let policy = AdaptivePolicy::default().initial(initial).max(initial);
        LimitPolicy::new().concurrency(Concurrency::Adaptive(policy))
    }

    #[test]
    fn permits_of_the_old_limit_count_in_the_new_one_and_are_returned_to_it() {
        let now = Instant::now();
        let kinds = [LimitPolicy::new(), fixed(9), adaptive(9)];
        for (from, old) in kinds.iter().enumerate() {
            for new in [fixed(2), adaptive(2)] {
                let mut state = RouteLimiterState::new(old, now);
                let grants: Vec<_> = (0..3).map(|_| sent(&mut state, now)).collect();
                state.adopt(old, &new, at(now));
                assert_eq!(state.concurrency().in_flight(), 3, "from {from}");
                assert!(matches!(ask(&mut state, now), Admission::Queued { .. }));
                let first = grants[0];
                let feedback = Feedback {
                    outcome: Outcome::Success,
                    first_event_at: now,
                    form: crate::limit::adaptive::AnswerForm::Unary,
                };
                state.on_outcome(&first, feedback, at(now));
                grants.iter().for_each(|grant| state.on_body_end(grant, at(now)));
                assert_eq!(state.concurrency().in_flight(), 1, "the call that waited was sent");
            }
        }
    }

    #[test]
    fn a_higher_limit_sends_the_calls_that_wait() {
        let now = Instant::now();
        let (old, new) = (fixed(1), fixed(3));
        let mut state = RouteLimiterState::new(&old, now);
        sent(&mut state, now);
        for _ in 0..4 {
            assert!(matches!(ask(&mut state, now), Admission::Queued { .. }));
        }
        assert_eq!((state.waiting(), state.concurrency().in_flight()), (4, 1));
        state.adopt(&old, &new, at(now));
        assert_eq!((state.waiting(), state.concurrency().in_flight()), (2, 3));
    }

    #[test]
    fn requests_that_were_taken_stay_taken_and_an_equal_policy_changes_nothing() {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        let (old, new) = (LimitPolicy::new().requests(60).burst(minute), LimitPolicy::new());
        let mut state = RouteLimiterState::new(&old, now);
        for _ in 0..50 {
            sent(&mut state, now);
        }
        let left = |state: &RouteLimiterState| {
            let requests = state.quotas().of(crate::limit::cost::CostDimension::Requests);
            (requests.remaining(now), requests.per_minute())
        };
        assert_eq!(left(&state), (Some(10.0), Some(60.0)));
        state.adopt(&old, &old.clone(), at(now));
        assert_eq!(left(&state), (Some(10.0), Some(60.0)));
        let more = LimitPolicy::new().requests(120).burst(minute);
        state.adopt(&old, &more, at(now));
        assert_eq!(left(&state), (Some(10.0), Some(120.0)));
        state.adopt(&more, &new, at(now));
        assert_eq!(left(&state), (None, None));
    }

    #[test]
    fn an_attempt_of_before_is_not_refunded_to_a_limit_that_did_not_pay_for_it() {
        let now = Instant::now();
        let (old, new) = (LimitPolicy::new(), LimitPolicy::new().requests(2).burst(Duration::ZERO));
        let mut state = RouteLimiterState::new(&old, now);
        let before = sent(&mut state, now);
        state.adopt(&old, &new, at(now));
        sent(&mut state, now);
        assert!(matches!(ask(&mut state, now), Admission::Queued { .. }));
        state.on_not_sent(&before);
        state.on_body_end(&before, at(now));
        assert_eq!(state.waiting(), 1);
    }
}
