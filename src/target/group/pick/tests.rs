use proptest::prelude::*;

use super::*;
use crate::{balance::BalancePolicy, outcome::Outcome};

fn at(policy: &BalancePolicy) -> DecisionInput<'_> {
    DecisionInput { policy, at: 0.0, picks: 0, usual: 0.5 }
}

/// Targets with the given number of calls in flight; `None` is an ejected target.
fn loads(under_way: &[Option<u32>], m: &DecisionInput<'_>) -> Vec<Load> {
    let load = |calls: &Option<u32>| {
        let mut load = Load::default();
        for _ in 0..calls.unwrap_or_default() {
            load.begin(m);
        }
        if calls.is_none() {
            let mut in_flight = load.begin(m);
            load.end(Outcome::QuotaExhausted { wait: None }, &mut in_flight, m);
        }
        load
    };
    under_way.iter().map(load).collect()
}

#[test]
fn the_less_costly_of_the_two_is_asked() {
    let policy = BalancePolicy::default();
    let m = at(&policy);
    let loads = loads(&[Some(3), Some(1)], &m);
    for first in [0.0, 0.4, 0.6, 0.99] {
        let pick = pick(&loads, Tried::default(), PickRequest::default(), &m, [first, 0.5]);
        assert_eq!(pick, Some(1));
    }
}

#[test]
fn the_least_costly_of_all_is_not_everybodys_choice() {
    let policy = BalancePolicy::default();
    let m = at(&policy);
    let loads = loads(&[Some(0), Some(1), Some(2)], &m);
    let picks = (0..90).map(|n| {
        let random = [f64::from(n / 10) / 9.0, f64::from(n % 10) / 10.0];
        pick(&loads, Tried::default(), PickRequest::default(), &m, random)
    });
    let best = picks.filter(|pick| *pick == Some(0)).count();
    assert_eq!(best, 60, "in two of three pairs");
}

#[test]
fn when_all_are_out_one_is_asked_unless_something_was_sent_already() {
    let policy = BalancePolicy::default();
    let m = at(&policy);
    let loads = loads(&[None, None], &m);
    let mut round = Tried::default();
    let next = |round| pick(&loads, round, PickRequest::default(), &m, [0.0; 2]);
    let first = next(round).unwrap();
    round.tried(first);
    assert_eq!(next(round), Some(1 - first), "refused by its breaker, it has cost nothing");
    round.sent(true);
    assert_eq!(next(round), None);
}

#[test]
fn sixty_four_targets_have_room() {
    let policy = BalancePolicy::default();
    let m = at(&policy);
    let loads = loads(&[Some(0); 64], &m);
    let mut round = Tried::default();
    for _ in 0..64 {
        let at = pick(&loads, round, PickRequest::default(), &m, [0.999; 2]).unwrap();
        round.tried(at);
    }
    assert_eq!(pick(&loads, round, PickRequest::default(), &m, [0.0; 2]), None);
}

proptest! {
    #[test]
    fn law_none_is_asked_twice_and_none_that_is_out_while_another_is_in(
        under_way in proptest::collection::vec(proptest::option::of(0..5_u32), 1..20),
        random in (0.0..1.0_f64, 0.0..1.0_f64), key in proptest::option::of(any::<u64>()),
    ) {
        let policy = BalancePolicy::default();
        let m = at(&policy);
        let loads = loads(&under_way, &m);
        let places: Vec<u64> = (0..loads.len() as u64).collect();
        let affinity = key.map(|key| (AffinityKey::new(key.to_ne_bytes()), &places[..]));
        let wish = PickRequest { affinity, once: false };
        let mut round = Tried::default();
        let mut asked = Vec::new();
        while let Some(at) = pick(&loads, round, wish, &m, [random.0, random.1]) {
            prop_assert!(!asked.contains(&at));
            let others = (0..loads.len()).filter(|other| !asked.contains(other));
            let is_in = |at: usize| under_way[at].is_some();
            prop_assert!(is_in(at) || !others.into_iter().any(is_in));
            asked.push(at);
            round.tried(at);
        }
        prop_assert_eq!(asked.len(), loads.len(), "all are asked while nothing is sent");
    }

    #[test]
    fn law_a_target_that_leaves_moves_only_the_calls_that_stuck_to_it(
        key in any::<u64>(), gone in 0..8_usize,
    ) {
        let policy = BalancePolicy::default();
        let m = at(&policy);
        let places: Vec<u64> = (100..108).collect();
        let wish = PickRequest { affinity: Some((AffinityKey::new(key.to_ne_bytes()), &places)), once: false };
        let mut under_way = [Some(0); 8];
        let home = pick(&loads(&under_way, &m), Tried::default(), wish, &m, [0.0; 2]);
        under_way[gone] = None;
        let then = pick(&loads(&under_way, &m), Tried::default(), wish, &m, [0.0; 2]);
        prop_assert_eq!(home == then, home != Some(gone));
    }
}
