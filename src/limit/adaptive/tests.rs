//! How a limit reacts to single events, and how it performs against simulated providers.
//!
//! Of the rows of other limits, `adp-nflx-90` and `adp-envoy-99` are covered here as far as they state what is not counted and
//! what a refusal costs. Left out: one more for each success (`adp-nflx-90`, AIMD) and one per window (`adp-fsgo-92`), as both
//! are too slow for calls of three minutes; a limit pinned to its minimum while the latency is measured (`adp-envoy-99`), as that
//! costs goodput each half minute; partitions (`adp-nflx-91`), which belong to the queue.

mod sim;

use std::time::Duration;

use proptest::prelude::*;

use self::sim::{Case, Figures, Mixed, Provider};
use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn limit(initial: u32) -> AdaptiveLimit {
    AdaptiveLimit::new(AdaptivePolicy::default().initial(initial))
}

/// Sends `calls` at once and answers them after `latency`.
fn round(limit: &mut AdaptiveLimit, calls: u32, latency: Duration) {
    let now = Instant::now();
    let sent: Vec<_> = (0..calls).map(|_| limit.on_sent(now)).collect();
    sent.iter().for_each(|call| limit.on_first_event(*call, now + latency, AnswerForm::Stream));
    sent.iter().for_each(|_| limit.on_end());
}

fn refuse(limit: &mut AdaptiveLimit, calls: u32) {
    let sent: Vec<_> = (0..calls).map(|_| limit.on_sent(Instant::now())).collect();
    sent.iter().for_each(|call| limit.on_overload(*call));
    sent.iter().for_each(|_| limit.on_end());
}

#[test]
fn adp_nflx_90_what_is_not_in_use_does_not_grow() {
    let mut limit = limit(50);
    for calls in 1..25 {
        round(&mut limit, calls, ms(10 * u64::from(calls)));
        assert_eq!(limit.limit(), 50);
    }
}

#[test]
fn adp_nflx_90_a_refusal_costs_a_tenth() {
    for (initial, then) in [(30, 27), (50, 45)] {
        let mut limit = limit(initial);
        refuse(&mut limit, 1);
        assert_eq!(limit.limit(), then);
    }
}

#[test]
fn adp_nflx_90_the_most_is_kept() {
    let mut limit = AdaptiveLimit::new(AdaptivePolicy::default().initial(21).max(21));
    (0..20).for_each(|_| round(&mut limit, 21, ms(1)));
    assert_eq!(limit.limit(), 21);
}

#[test]
fn adp_envoy_99_a_call_that_is_given_up_frees_its_place_and_is_no_sample() {
    let mut limit = limit(3);
    let _given_up = [(); 3].map(|()| limit.on_sent(Instant::now()));
    assert_eq!(limit.in_flight(), 3);
    limit.on_end();
    assert_eq!((limit.in_flight(), limit.limit()), (2, 3));
}

#[test]
fn adp_envoy_99_a_call_from_before_a_change_does_not_judge_it() {
    let mut limit = limit(8);
    let now = Instant::now();
    let old: Vec<_> = (0..16).map(|_| limit.on_sent(now)).collect();
    old[..7].iter().for_each(|call| limit.on_first_event(*call, now + ms(10), AnswerForm::Stream));
    let grown = limit.limit();
    assert!(grown > 8);
    old[7..].iter().for_each(|call| limit.on_first_event(*call, now + ms(10), AnswerForm::Stream));
    assert_eq!(limit.limit(), grown);
}

#[test]
fn a_burst_of_refusals_cuts_once() {
    let mut limit = limit(100);
    refuse(&mut limit, 100);
    assert_eq!(limit.limit(), 90);
    refuse(&mut limit, 90);
    assert_eq!(limit.limit(), 81);
}

#[test]
fn it_never_falls_below_one_and_comes_back_from_there() {
    let mut limit = limit(8);
    for _ in 0..100 {
        let calls = limit.limit();
        refuse(&mut limit, calls);
    }
    assert_eq!(limit.limit(), 1);
    for _ in 0..200 {
        let calls = limit.limit();
        round(&mut limit, calls, ms(300));
    }
    assert!(limit.limit() > 8, "{}", limit.limit());
}

/// A timeout without any event is reported late: the first cut counts for all calls that hung.
#[test]
fn calls_that_hung_together_cut_once_however_late_they_are_reported() {
    let mut limit = limit(10);
    let hung: Vec<_> = (0..10).map(|_| limit.on_sent(Instant::now())).collect();
    limit.on_overload(hung[0]);
    limit.on_end();
    refuse(&mut limit, 0);
    hung[1..].iter().for_each(|call| limit.on_overload(*call));
    assert_eq!(limit.limit(), 9);
}

#[test]
fn calls_that_are_never_answered_do_not_stop_it_from_learning() {
    let mut limit = limit(8);
    for _ in 0..30 {
        // Half of each are dropped.
        let now = Instant::now();
        let sent: Vec<_> = (0..8).map(|_| limit.on_sent(now)).collect();
        sent.iter().for_each(|_| limit.on_end());
    }
    (0..20).for_each(|_| round(&mut limit, 8, ms(300)));
    assert!(limit.limit() > 8);
}

/// A provider that is slow for all its callers does not get faster with fewer calls of this client.
#[test]
fn slowness_that_fewer_calls_do_not_cure_gives_the_limit_back() {
    let mut limit = AdaptiveLimit::new(AdaptivePolicy::default().initial(60).max(60));
    let mut rounds = |times: u32, latency| {
        let mut least = u32::MAX;
        for _ in 0..times {
            let calls = limit.limit();
            round(&mut limit, calls, latency);
            least = least.min(limit.limit());
        }
        (least, limit.limit())
    };
    rounds(5, ms(300));
    let (least, after) = rounds(10, ms(900));
    assert!(least <= 20, "it was tried: {least}");
    assert_eq!(after, 60);
}

#[test]
fn wrong_values_are_refused_by_name() {
    let policy = AdaptivePolicy::default;
    for (wrong, field) in [
        (policy().min(0), "limit.adaptive.min"),
        (policy().max(0), "limit.adaptive.max"),
        (policy().initial(0), "limit.adaptive.initial"),
        (policy().initial(1001), "limit.adaptive.initial"),
        (policy().tolerance(1.0), "limit.adaptive.tolerance"),
        (policy().tolerance(f64::NAN), "limit.adaptive.tolerance"),
        (policy().backoff(1.0), "limit.adaptive.backoff"),
        (policy().patience(0), "limit.adaptive.patience"),
    ] {
        assert_eq!(wrong.check().expect_err(field).field(), field);
    }
    assert_eq!(policy().check(), Ok(()));
}

/// Every size, every kind, two seeds.
fn cases(times: &[(u64, u64)], places: &[u32], phase: u64, settle: u64) -> Vec<(Case, Figures)> {
    let mut played = Vec::new();
    for provider in [Provider::Refuses, Provider::Queues] {
        for &(first, whole) in times {
            for &places in places {
                for seed in 1..=2 {
                    let mixed = Mixed::NONE;
                    let case = Case { provider, first, whole, places, mixed, phase, settle, seed };
                    played.push((case, case.play(AdaptivePolicy::default())));
                }
            }
        }
    }
    for (Case { provider, first, whole, places, .. }, figures) in &played {
        println!("{provider:?} {first}/{whole} ms, {places} places: {figures:.3?}");
    }
    played
}

fn assert_all(played: &[(Case, Figures)], goodput: f64, refused: f64) {
    for (case, figures) in played {
        assert!(figures.goodput.iter().all(|share| *share >= goodput), "{case:?}: {figures:?}");
        assert!(figures.refused <= refused, "{case:?}: {figures:?}");
    }
}

#[test]
fn calls_of_300_ms_and_of_3_s_use_a_capacity_that_halves_and_comes_back_within_60_s() {
    let times = [(300, 300), (100, 300), (3_000, 3_000), (500, 3_000)];
    let played = cases(&times, &[8, 40, 200], 180_000, 60_000);
    assert_all(&played, 0.9, 0.05);
}

/// With 3 minutes to an answer, 60 s are too short: a call sent at the limit has no result yet.
#[test]
fn calls_of_3_minutes_use_it_within_twelve_of_them() {
    const CALL: u64 = 180_000;
    let played = cases(&[(CALL, CALL), (2_000, CALL)], &[8, 40, 100], 40 * CALL, 12 * CALL);
    assert_all(&played, 0.9, 0.05);
}

/// The queue is kept short as well.
#[test]
fn the_first_event_is_never_twice_as_late_as_without_a_queue() {
    for (case, figures) in cases(&[(300, 300), (3_000, 3_000)], &[40, 100], 180_000, 60_000) {
        let most = 2.0 * case.first as f64;
        assert!(figures.latency.iter().all(|mean| *mean <= most), "{case:?}: {figures:?}");
    }
}

/// Answers of two lengths in any mixture: no queue is detected where there is room, and none is missed where there is not.
#[test]
fn answers_of_two_lengths_are_not_taken_for_a_queue_and_hide_none() {
    for (share, times) in [(0.1, 20), (0.25, 20), (0.5, 20), (0.75, 20), (0.9, 20), (0.5, 5)] {
        for form in [AnswerForm::Stream, AnswerForm::Unary] {
            let mixed = Mixed { share, times, form };
            let (provider, first, places) = (Provider::Queues, 1000, 135);
            let (phase, settle, seed) = (2_400_000, 1_200_000, 1);
            let case = Case { provider, first, whole: first, places, mixed, phase, settle, seed };
            let figures = case.play(AdaptivePolicy::default());
            println!("{mixed:?}: {figures:.3?}");
            let usual = first as f64 * (1.0 - share + share * times as f64);
            assert!(figures.goodput.iter().all(|share| *share >= 0.9), "{case:?} {figures:?}");
            assert!(
                figures.latency.iter().all(|mean| *mean <= 2.2 * usual),
                "{case:?} {figures:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn law_the_limit_is_always_between_its_least_and_its_most(
        events in prop::collection::vec((0..4_u8, 0..5_000_u64), 0..2_000),
        (min, more) in (1..20_u32, 0..50_u32),
    ) {
        let policy = AdaptivePolicy::default().min(min).max(min + more).initial(min + more / 2);
        let (mut limit, start) = (AdaptiveLimit::new(policy), Instant::now());
        let mut open = Vec::new();
        for (what, number) in events {
            let call = (!open.is_empty()).then(|| number as usize % open.len());
            match (what, call) {
                (0, _) | (_, None) => open.push(limit.on_sent(start + ms(number))),
                (1, Some(call)) => limit.on_first_event(open[call], start + ms(number), AnswerForm::Stream),
                (2, Some(call)) => limit.on_overload(open[call]),
                (_, Some(call)) => {
                    open.swap_remove(call);
                    limit.on_end();
                }
            }
            prop_assert!((min..=min + more).contains(&limit.limit()));
            prop_assert_eq!(limit.in_flight() as usize, open.len());
        }
    }
}
