use proptest::prelude::*;

use super::*;
use crate::{outcome::Rejection, target::group::BalancePolicy};

fn policy() -> BalancePolicy {
    BalancePolicy::default()
}

fn at(policy: &BalancePolicy, at: f64, picks: u64) -> DecisionInput<'_> {
    DecisionInput { policy, at, picks, usual: 0.5 }
}

const DOWN: Outcome = Outcome::Unavailable { wait: None };

/// A call that begins at `m.0` and ends with `outcome` at `m.1`.
fn call(
    load: &mut Load,
    outcome: Outcome,
    m: (DecisionInput<'_>, DecisionInput<'_>),
) -> Option<Duration> {
    let mut in_flight = load.begin(&m.0);
    load.end(outcome, &mut in_flight, &m.1)
}

#[test]
fn a_newcomer_is_taken_for_what_is_usual() {
    let policy = policy();
    assert_eq!(Load::default().cost(&at(&policy, 0.0, 0)), 0.5);
}

#[test]
fn a_failure_in_a_millisecond_costs_as_much_as_an_answer_after_ten_seconds() {
    let policy = policy();
    let mut load = Load::default();
    assert_eq!(call(&mut load, DOWN, (at(&policy, 0.0, 0), at(&policy, 0.001, 1))), None);
    assert_eq!(load.cost(&at(&policy, 0.001, 1)), 10.0);
    let half = load.cost(&at(&policy, 10.001, 100));
    assert!((half - (0.5 + 9.5 / 2.0)).abs() < 1e-9, "half of it is forgotten: {half}");
}

#[test]
fn three_failures_in_a_row_take_it_out_for_longer_each_time_and_a_whole_answer_ends_that() {
    let policy = policy();
    let mut load = Load::default();
    let fail = |load: &mut Load, time: f64, picks: u64| {
        call(load, DOWN, (at(&policy, time, picks), at(&policy, time, picks)))
    };
    assert_eq!((fail(&mut load, 0.0, 1), fail(&mut load, 0.0, 2)), (None, None));
    assert_eq!(fail(&mut load, 0.0, 3), Some(Duration::from_secs(10)));
    assert_eq!(load.standing(&at(&policy, 9.9, 900)), Eligibility::Ejected);
    assert_eq!(load.standing(&at(&policy, 99.0, 66)), Eligibility::Ejected, "too few calls since");
    assert_eq!(load.standing(&at(&policy, 10.0, 67)), Eligibility::TrialDue);
    for lasts in [20, 30, 30] {
        assert_eq!(fail(&mut load, 10.0, 67), Some(Duration::from_secs(lasts)));
    }
    call(&mut load, Outcome::Success, (at(&policy, 50.0, 200), at(&policy, 50.4, 210)));
    assert_eq!(load.standing(&at(&policy, 50.4, 210)), Eligibility::Eligible);
    assert!(load.cost(&at(&policy, 50.4, 210)) < 0.5, "as quick as it was now");
    assert_eq!(fail(&mut load, 51.0, 211), None);
}

#[test]
fn one_call_at_a_time_finds_out_whether_it_is_well() {
    let policy = policy();
    let mut load = Load::default();
    let rejected = Outcome::Rejected { why: Rejection::Credential };
    call(&mut load, rejected, (at(&policy, 0.0, 0), at(&policy, 0.0, 0)));
    let due = at(&policy, 300.0, 9);
    assert_eq!(load.standing(&due), Eligibility::TrialDue);
    load.try_again(&due);
    assert_eq!(load.standing(&at(&policy, 305.0, 99)), Eligibility::Ejected);
    assert_eq!(
        load.standing(&at(&policy, 310.0, 99)),
        Eligibility::TrialDue,
        "that one never came back"
    );
}

#[test]
fn what_began_before_it_was_out_says_nothing_after() {
    let policy = policy();
    let mut load = Load::default();
    let (mut well, mut ill) = (load.begin(&at(&policy, 0.0, 0)), load.begin(&at(&policy, 0.0, 0)));
    for n in 0..3 {
        call(&mut load, DOWN, (at(&policy, 1.0, n), at(&policy, 1.0, n)));
    }
    load.end(DOWN, &mut ill, &at(&policy, 2.0, 9));
    load.end(Outcome::Success, &mut well, &at(&policy, 2.0, 9));
    assert_eq!(load.standing(&at(&policy, 9.0, 99)), Eligibility::Ejected);
    assert_eq!(
        load.standing(&at(&policy, 11.0, 99)),
        Eligibility::TrialDue,
        "not for longer by the old failure"
    );
}

#[test]
fn silence_shows_before_anything_is_answered() {
    let policy = policy();
    let mut load = Load::default();
    load.begin(&at(&policy, 0.0, 0));
    assert_eq!(load.cost(&at(&policy, 0.1, 1)), 0.5 * 2.0);
    assert_eq!(load.cost(&at(&policy, 8.0, 1)), 8.0 * 2.0);
}

#[test]
fn a_call_counts_until_its_body_has_ended_or_was_dropped() {
    let policy = policy();
    let mut load = Load::default();
    let mut in_flight = load.begin(&at(&policy, 0.0, 0));
    load.answer(&mut in_flight, 0.3, &at(&policy, 0.3, 1));
    assert_eq!(load.in_flight(), 1);
    load.end(Outcome::Cancelled, &mut in_flight, &at(&policy, 9.0, 1));
    assert_eq!((load.in_flight(), load.waiting), (0, 0));
    assert!(
        load.cost(&at(&policy, 9.0, 1)) <= 0.5,
        "a reader's leisure is not the target's slowness"
    );
}

#[test]
fn streams_that_die_half_way_take_it_out_though_they_began_well() {
    let policy = policy();
    let mut load = Load::default();
    let mut out = None;
    for n in 0..3 {
        let m = at(&policy, f64::from(n), 1);
        let mut in_flight = load.begin(&m);
        load.answer(&mut in_flight, 0.3, &m);
        out = load.end(Outcome::Truncated, &mut in_flight, &m);
    }
    assert_eq!(out, Some(Duration::from_secs(10)));
}

#[test]
fn a_refusal_of_ours_is_neither_slow_nor_a_failure() {
    let policy = policy();
    let mut load = Load::default();
    let refused = Outcome::NotSent { retry_in: Some(Duration::from_secs(5)) };
    for n in 0..9 {
        call(&mut load, refused, (at(&policy, 0.0, n), at(&policy, 0.0, n)));
    }
    assert_eq!(load.standing(&at(&policy, 4.9, 9)), Eligibility::Ejected);
    assert_eq!(load.standing(&at(&policy, 5.0, 9)), Eligibility::TrialDue);
    assert_eq!(load.cost(&at(&policy, 5.0, 9)), 0.5);
}

proptest! {
    #[test]
    fn law_each_call_under_way_costs_more_and_its_end_as_much_less(
        tooks in proptest::collection::vec(0.0..20.0_f64, 1..20),
    ) {
        let policy = policy();
        let m = at(&policy, 0.0, 0);
        let mut load = Load::default();
        let mut under_way = Vec::new();
        for _ in &tooks {
            let before = load.cost(&m);
            under_way.push(load.begin(&m));
            prop_assert!(load.cost(&m) > before);
        }
        for (took, mut in_flight) in tooks.into_iter().zip(under_way) {
            load.end(Outcome::Success, &mut in_flight, &at(&policy, took, 0));
        }
        prop_assert_eq!((load.in_flight(), load.waiting, load.since), (0, 0, 0.0));
    }

    #[test]
    fn law_an_estimate_stays_between_what_was_said_and_what_is_usual_and_goes_there(
        secs in 0.0..60.0_f64, gap in 0.0..1000.0_f64, picks in 0..10_000_u64,
    ) {
        let policy = policy();
        let mut load = Load::default();
        load.observe(secs, &at(&policy, 0.0, 0));
        let now = at(&policy, gap, picks);
        let (low, high) = (secs.min(0.5), secs.max(0.5));
        prop_assert!((low..=high).contains(&load.estimate(&now)));
        let far = at(&policy, 1e6, u64::MAX);
        prop_assert!((load.estimate(&far) - 0.5).abs() < 1e-9);
        let slower = high + 1.0;
        load.observe(slower, &now);
        prop_assert_eq!(load.estimate(&now), slower, "slower is believed at once");
        load.observe(0.0, &now);
        prop_assert!(load.estimate(&now) > 0.0, "faster is not");
    }
}
