use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::context::{Route, Routes};

fn budget(share: f64, reserve: u32) -> Budget {
    Budget::new(share, reserve).unwrap()
}

fn drain(budget: &Budget) -> u32 {
    std::iter::from_fn(|| budget.withdraw().then_some(())).count() as u32
}

#[test]
fn the_reserve_is_there_at_the_start_and_no_more() {
    assert_eq!(drain(&budget(0.2, 10)), 10);
}

#[test]
fn five_first_attempts_earn_one_extra() {
    let budget = budget(0.2, 10);
    drain(&budget);
    (0..4).for_each(|_| budget.deposit());
    assert!(!budget.withdraw());
    budget.deposit();
    assert!(budget.withdraw() && !budget.withdraw());
}

#[test]
fn what_is_earned_over_the_reserve_is_not_kept() {
    let budget = budget(0.2, 10);
    (0..10_000).for_each(|_| budget.deposit());
    assert_eq!(drain(&budget), 10);
}

#[test]
fn a_refused_withdrawal_takes_nothing() {
    let budget = budget(0.5, 1);
    drain(&budget);
    budget.deposit();
    assert!(!budget.withdraw());
    budget.deposit();
    assert!(budget.withdraw());
}

#[test]
fn failures_earn_as_much_as_successes_and_no_more() {
    // Every call fails and wants two retries: 20 % more attempts are sent, not 200 %.
    let budget = budget(0.2, 10);
    let mut extra = 0;
    for _ in 0..10_000 {
        budget.deposit();
        extra += u32::from(budget.withdraw()) + u32::from(budget.withdraw());
    }
    assert!((2_000..=2_010).contains(&extra), "{extra}");
}

#[test]
fn an_outage_of_five_hours_at_a_call_a_second_stays_within_a_fifth() {
    let budget = budget(0.2, 10);
    let mut extra = 0;
    for _ in 0..5 * 3600 {
        budget.deposit();
        extra += u32::from(budget.withdraw()) + u32::from(budget.withdraw());
    }
    assert!(extra <= 3_610, "{extra}");
}

#[test]
fn unsound_numbers_are_refused() {
    let unsound = [(0.0, 1), (-0.1, 1), (1.1, 1), (f64::NAN, 1), (0.2, 0), (0.2, 10_001)];
    for (share, reserve) in unsound {
        assert!(Budget::new(share, reserve).is_none(), "{share} {reserve}");
    }
}

#[test]
fn threads_never_overdraw() {
    let budget = budget(0.5, 100);
    let drained: u32 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..500)
                        .map(|_| {
                            budget.deposit();
                            u32::from(budget.withdraw())
                        })
                        .sum()
                })
            })
            .collect();
        threads.into_iter().map(|thread| -> u32 { thread.join().unwrap() }).sum()
    });
    assert!(drained <= 2_000 / 2 + 100, "{drained}");
}

#[test]
fn routes_have_their_own_unless_one_is_shared() {
    let (a, b) = (Route::new("p", "a", "-"), Route::new("p", "b", "-"));
    let own = Budgets::per_route(&Routes::new(), 0.2, 1);
    assert!(own.of(&a).withdraw() && own.of(&b).withdraw() && !own.clone().of(&a).withdraw());
    let one = Budgets::shared(budget(0.2, 1));
    assert!(one.of(&a).withdraw() && !one.of(&b).withdraw());
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_lately_may_be_lost_at_one_moment() {
    let budget = budget(0.2, 10);
    for _ in 0..600 {
        budget.deposit();
        budget.answered();
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let retries = || std::iter::from_fn(|| budget.withdraw_retry().then_some(())).count();
    assert_eq!(budget.left(), 10, "nobody else has more");
    let left = retries();
    assert!((110..=210).contains(&left), "ten a second: {left}");
    tokio::time::advance(Duration::from_secs(3600)).await;
    (0..100).for_each(|_| budget.answered());
    assert_eq!(retries(), 100, "as many as were answered since");
    assert_eq!(retries(), 0);
}

#[test]
fn what_is_under_way_lends_once_until_it_is_paid_back() {
    let budget = budget(0.2, 10);
    drain(&budget);
    let retries = || std::iter::from_fn(|| budget.withdraw_retry().then_some(())).count();
    (0..60).for_each(|_| budget.started());
    assert!(!budget.withdraw(), "a hedge does not borrow");
    assert_eq!(retries(), 30);
    (0..60).for_each(|_| budget.ended());
    (0..60).for_each(|_| budget.started());
    assert_eq!(retries(), 0, "nothing was answered");
    (0..10).for_each(|_| budget.answered());
    assert_eq!((budget.left(), retries()), (0, 10), "paid back, and lent again");
    (0..40).for_each(|_| budget.answered());
    assert_eq!(budget.left(), 10, "all is paid back");
}

proptest! {
    /// Time does not earn tokens, so each window of time is a range of the steps; all of them are checked.
    #[test]
    fn law_in_any_window_the_extras_are_a_share_of_the_first_attempts_and_the_reserve(
        percent in 1..=100_u32, reserve in 1..20_u32,
        steps in proptest::collection::vec(any::<bool>(), 0..200),
    ) {
        let budget = budget(f64::from(percent) / 100.0, reserve);
        let taken: Vec<(u64, u64)> = steps.iter().map(|first| match first {
            true => { budget.deposit(); (1, 0) }
            false => (0, u64::from(budget.withdraw())),
        }).collect();
        for start in 0..taken.len() {
            let (mut firsts, mut extras) = (0, 0);
            for (first, extra) in &taken[start..] {
                firsts += first;
                extras += extra;
                prop_assert!(100 * extras <= u64::from(percent) * firsts + 100 * u64::from(reserve));
            }
        }
    }

    /// The bound is not met by refusing everything: every earned token can be spent.
    #[test]
    fn law_what_is_earned_is_there(percent in 1..=100_u32, firsts in 0..2_000_u32) {
        let budget = budget(f64::from(percent) / 100.0, Budget::MAX_RESERVE);
        drain(&budget);
        (0..firsts).for_each(|_| budget.deposit());
        prop_assert_eq!(drain(&budget), percent * firsts / 100);
    }
}
