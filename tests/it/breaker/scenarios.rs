//! Sequences from the test suites of other breakers, for rules with the same meaning here. Each suite has a section.
//!
//! These breakers close after their probes without a ramp, and so do the breakers in these tests.
//!
//! Left out:
//!
//! - resilience4j: an open time that grows by half at each return (here it doubles); states that cannot be forced (there is no
//!   forced half-open here); half-open that closes when a probe hangs; windows of a number of calls (here they are of time).
//! - resilience4j, failsafe-go, cockatiel: decisions by the ratio of a sample of probes; here one failed probe is enough.
//! - failsafe-go: thresholds of the last calls, which are windows of a number of calls too; the maximum of a window, which is not
//!   used here.
//! - gobreaker: counts that are cleared at fixed intervals; here they slide.
//! - Finagle: a list of backoffs that ends; a decaying average instead of an exact ratio.
//! - cockatiel: counted isolation, and a rate as the minimum; here it is forced by a name and has a number of calls.
//! - opossum: a filtered outcome of a probe that closes; here the permit is returned.

use std::sync::{Arc, Mutex};

use evenkeel::{
    breaker::{BreakerLayer, TransitionReason},
    context::Route,
    telemetry::{Event, EventKind, EventSink},
};

use super::*;

const OK: Outcome = Outcome::Success;

/// No rule, one success closes at once, and each opening lasts as long as the first.
fn simple(open: u64) -> BreakerPolicy {
    no_rule().probe_successes(1).ramp(Duration::ZERO, 1.0).open_backoff(ms(open)..=ms(open))
}

fn resilience4j() -> BreakerPolicy {
    simple(5000)
        .window(secs(20))
        .min_calls(5)
        .failure_ratio(0.5)
        .slow_ratio(0.5)
        .slow_after(AnswerTimes { first_event: secs(4), whole_answer: secs(4) })
}

// === resilience4j ===

#[test]
fn three_failures_of_five_open() {
    let rig = Rig::new(resilience4j());
    rig.records(0, FAILED, 3);
    rig.record(0, OK);
    assert_eq!((rig.shown(0).calls, rig.state(0)), (4, CircuitState::Closed));
    rig.record(0, OK);
    assert_eq!(rig.shown(0).opened_by, Some(TransitionReason::Ratio));
    assert!(rig.refused(0));
}

#[test]
fn exactly_the_ratio_opens() {
    let rig = Rig::new(resilience4j());
    for at in [0, 1000, 2000] {
        rig.record(at, OK);
    }
    for at in [3000, 4000] {
        rig.record(at, FAILED);
    }
    assert_eq!(rig.state(5000), CircuitState::Closed);
    rig.record(5000, FAILED);
    assert_eq!(rig.state(5000), CircuitState::Open);
}

#[test]
fn slow_calls_open_where_failures_alone_would_not() {
    let rig = Rig::new(resilience4j());
    for (outcome, took) in [(FAILED, 5000), (OK, 5000), (FAILED, 100), (OK, 100)] {
        rig.took(6000, outcome, took);
        assert_eq!(rig.state(6000), CircuitState::Closed);
    }
    rig.took(6000, OK, 5000);
    assert_eq!(rig.shown(6000).opened_by, Some(TransitionReason::Slow));
}

#[test]
fn slow_calls_are_counted_over_the_window() {
    let rig = Rig::new(resilience4j());
    for (at, took) in [(5000, 5000), (10_000, 5000), (11_000, 1000), (12_000, 1000)] {
        rig.took(at, OK, took);
        assert_eq!(rig.state(at), CircuitState::Closed);
    }
    rig.took(17_000, OK, 5000);
    assert_eq!(rig.shown(17_000).opened_by, Some(TransitionReason::Slow));
}

#[test]
fn a_hint_replaces_the_open_time_and_a_probe_ends_a_long_one() {
    for (wait, before, after) in
        [(7200, 59_000, 60_001), (1800, 59_000, 60_001), (30, 29_000, 30_001)]
    {
        let rig = Rig::new(simple(5000).consecutive_failures(1).max_hint(secs(7200)));
        rig.record(0, Outcome::Unavailable { wait: Some(secs(wait)) });
        assert!(rig.refused(0) && rig.refused(before));
        let _probe = rig.permit(after);
        assert_eq!(rig.state(after), CircuitState::HalfOpen);
    }
}

#[test]
fn ignored_probes_decide_nothing() {
    let rig = Rig::new(simple(5000).consecutive_failures(1).probe_successes(4));
    rig.record(0, FAILED);
    rig.records(5000, IGNORED, 4);
    assert_eq!(rig.state(5000), CircuitState::HalfOpen);
    rig.records(5000, OK, 3);
    assert_eq!(rig.state(5000), CircuitState::HalfOpen);
    rig.record(5000, OK);
    assert_eq!(rig.state(5000), CircuitState::Closed);
}

#[test]
fn forced_states_record_nothing_and_never_pass() {
    let rig = Rig::new(resilience4j());
    rig.breaker.force_closed();
    rig.record(0, OK);
    rig.records(0, FAILED, 4);
    let shown = rig.shown(0);
    assert_eq!(
        (shown.state, shown.calls, shown.failure_ratio),
        (CircuitState::ForcedClosed, 0, None)
    );
    rig.records(0, FAILED, 50);
    assert!(!rig.refused(0));

    let rig = Rig::new(resilience4j());
    rig.breaker.force_open();
    assert!(rig.refused(0) && rig.refused(6000) && rig.refused(u64::from(u32::MAX)));
    assert_eq!(rig.state(6000), CircuitState::ForcedOpen);
}

#[test]
fn an_unchanged_state_is_no_transition_and_reset_clears_all() {
    let told = Arc::new(Mutex::new(0));
    let listener = told.clone();
    let count = move |event: &Event| {
        *listener.lock().expect("nobody panicked") +=
            u32::from(matches!(event.kind, EventKind::BreakerChanged { .. }));
    };
    let layer: BreakerLayer = resilience4j().build().expect("valid");
    let breaker = layer.events(EventSink::new(count)).handle().of(&Route::new("p", "m", "c"));
    (0..2).for_each(|_| breaker.force_open());
    (0..2).for_each(|_| breaker.force_closed());
    (0..2).for_each(|_| breaker.reset());
    assert_eq!(*told.lock().expect("nobody panicked"), 3);

    let rig = Rig::new(resilience4j());
    rig.record(0, OK);
    rig.record(0, FAILED);
    assert_eq!(rig.shown(0).calls, 2);
    rig.breaker.reset();
    assert_eq!((rig.state(0), rig.shown(0).calls), (CircuitState::Closed, 0));
    rig.records(0, FAILED, 5);
    assert_eq!(rig.state(0), CircuitState::Open);
    rig.breaker.reset();
    assert_eq!(rig.state(0), CircuitState::Closed);
}

#[test]
fn half_open_is_bounded_and_time_passes_without_traffic() {
    let rig = Rig::new(simple(5000).consecutive_failures(1).probe_timeout(secs(1)));
    rig.record(0, FAILED);
    let _hung = rig.permit(5000);
    assert_eq!(rig.state(5000), CircuitState::HalfOpen);
    assert_eq!(rig.state(7000), CircuitState::Open);

    let rig = Rig::new(simple(2000).consecutive_failures(1));
    rig.record(0, FAILED);
    assert_eq!(rig.state(1999), CircuitState::Open);
    assert_eq!(rig.state(2000), CircuitState::HalfOpen);

    let rig = Rig::new(simple(2000).consecutive_failures(1));
    rig.record(0, FAILED);
    assert_eq!(rig.state(1000), CircuitState::Open);
    rig.breaker.force_open();
    assert_eq!(rig.state(5000), CircuitState::ForcedOpen);
}

// === Polly ===

#[test]
fn buckets_expire_when_they_are_as_old_as_the_window() {
    let rig = Rig::new(no_rule().window(secs(10)));
    let counts = |at| (rig.shown(at).calls, rig.shown(at).failure_ratio);
    rig.record(0, FAILED);
    rig.record(0, OK);
    assert_eq!(counts(2000), (2, Some(0.5)));
    rig.record(2000, FAILED);
    rig.record(2000, OK);
    assert_eq!(counts(4000), (4, Some(0.5)));
    for (at, calls) in [(4000, 6), (6000, 8)] {
        rig.records(at, OK, 2);
        assert_eq!(counts(at + 2000).0, calls);
    }
    assert_eq!(counts(8000), (8, Some(0.25)));
    rig.records(8000, OK, 2);
    assert_eq!(counts(10_000), (8, Some(0.125)));
    assert_eq!(counts(12_000), (6, Some(0.0)));

    let rig = Rig::new(no_rule().window(secs(10)));
    (0..10).for_each(|second| rig.record(second * 1000, OK));
    assert_eq!((rig.shown(10_000).calls, rig.shown(11_000).calls), (9, 8));
    for at in [10_000, 10_001] {
        let rig = Rig::new(no_rule().window(secs(10)));
        rig.records(0, OK, 2);
        assert_eq!((rig.shown(at).calls, rig.shown(at).failure_ratio), (0, None));
    }
}

#[test]
fn opens_at_the_minimum_and_the_ratio() {
    let opens = |calls: u32, failures: u32| {
        let rig = Rig::new(simple(5000).failure_ratio(0.1).min_calls(10));
        rig.records(0, OK, calls - failures);
        for _ in 0..failures {
            // Here the breaker may have opened at the call before.
            let _ = rig.acquire(0).map(|permit| permit.record(FAILED, rig.at(0)));
        }
        rig.state(0) == CircuitState::Open
    };
    assert!(!opens(10, 0));
    assert!(opens(10, 1));
    assert!(opens(10, 2));
    assert!(opens(11, 2));
    assert!(!opens(9, 1));
}

#[test]
fn reopenings_are_counted_until_the_breaker_closes() {
    let rig = Rig::new(simple(1000).consecutive_failures(1).open_backoff(secs(1)..=secs(3600)));
    let mut at = 0;
    let mut lasting = Vec::new();
    for outcome in [FAILED, FAILED, FAILED, FAILED, FAILED, OK, FAILED, FAILED, FAILED] {
        rig.record(at, outcome);
        if let Some(lasts) = rig.shown(at).probe_in {
            lasting.push(lasts.as_secs());
            at += lasts.as_millis() as u64;
        }
    }
    assert_eq!(lasting, [1, 2, 4, 8, 16, 1, 2, 4]);

    let rig = Rig::new(
        simple(42 * 60_000).consecutive_failures(1).quota_backoff(secs(3600)..=secs(3600)),
    );
    rig.record(0, FAILED);
    assert_eq!(rig.shown(0).probe_in, Some(ms(2_520_000)));
}

// === failsafe-go ===

#[test]
fn only_failures_in_a_row_count() {
    let rig = Rig::new(simple(5000).consecutive_failures(3));
    for outcome in [FAILED, OK, FAILED, FAILED] {
        rig.record(0, outcome);
    }
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, FAILED);
    assert_eq!(rig.state(0), CircuitState::Open);
}

#[test]
fn what_is_older_than_the_period_does_not_count() {
    let rig = Rig::new(simple(5000).failure_ratio(0.5).min_calls(3).window(ms(200)));
    for (at, outcome) in [(0, FAILED), (0, OK), (210, FAILED), (210, OK), (260, OK)] {
        rig.record(at, outcome);
        assert_eq!(rig.state(at), CircuitState::Closed);
    }
    rig.record(260, FAILED);
    assert_eq!(rig.state(260), CircuitState::Open);
}

#[test]
fn no_more_concurrent_probes_than_allowed() {
    let rig = Rig::new(simple(5000).consecutive_failures(1).max_probes(3).probe_successes(3));
    rig.record(0, FAILED);
    let permits: Vec<_> = (0..8).filter_map(|_| rig.acquire(5000).ok()).collect();
    assert_eq!(permits.len(), 3);
}

// === gobreaker ===

#[test]
fn the_sixth_failure_in_a_row_opens() {
    let rig = Rig::new(simple(60_000).consecutive_failures(6));
    rig.records(0, FAILED, 5);
    assert_eq!(
        (rig.state(0), rig.shown(0).calls, rig.shown(0).consecutive_failures),
        (CircuitState::Closed, 5, 5)
    );
    rig.record(0, OK);
    assert_eq!((rig.shown(0).calls, rig.shown(0).consecutive_failures), (6, 0));
    rig.record(0, FAILED);
    assert_eq!((rig.shown(0).calls, rig.shown(0).consecutive_failures), (7, 1));
    rig.records(0, FAILED, 5);
    assert_eq!((rig.state(0), rig.shown(0).calls), (CircuitState::Open, 0));
    assert!(rig.refused(0) && rig.refused(0));
    assert_eq!(rig.state(59_999), CircuitState::Open);
    assert_eq!(rig.state(60_999), CircuitState::HalfOpen);
    rig.record(60_999, FAILED);
    assert_eq!(rig.state(60_999), CircuitState::Open);
    rig.record(121_000, OK);
    assert_eq!((rig.state(121_000), rig.shown(121_000).calls), (CircuitState::Closed, 0));
}

#[test]
fn ignored_outcomes_take_no_place_of_a_probe() {
    let rig = Rig::new(simple(90_000).consecutive_failures(1).probe_successes(3));
    rig.record(31_000, FAILED);
    rig.records(121_000, IGNORED, 4);
    assert_eq!(rig.state(121_000), CircuitState::HalfOpen);
    rig.record(121_000, FAILED);
    assert_eq!(rig.state(121_000), CircuitState::Open);
    rig.records(211_001, OK, 2);
    assert_eq!(rig.state(211_001), CircuitState::HalfOpen);
    let third = rig.permit(211_001);
    assert!(rig.refused(211_001));
    third.record(OK, rig.at(211_001));
    assert_eq!(rig.state(211_001), CircuitState::Closed);
}

// === linkerd2-proxy ===

#[test]
fn a_disabled_rule_never_opens() {
    let rig = Rig::new(simple(1000).consecutive_failures(3));
    for at in [0, 100] {
        rig.record(at, FAILED);
    }
    assert_eq!(rig.state(100), CircuitState::Closed);
    rig.record(200, FAILED);
    assert_eq!(rig.state(200), CircuitState::Open);

    let rig = Rig::new(simple(1000).consecutive_failures(3));
    for (at, outcome) in [(0, FAILED), (100, FAILED), (200, OK), (300, FAILED), (400, FAILED)] {
        rig.record(at, outcome);
    }
    assert_eq!(rig.state(400), CircuitState::Closed);

    let rig = Rig::new(simple(1000));
    (0..10).for_each(|second| rig.record(second * 1000, FAILED));
    (10..20).for_each(|second| rig.record(second * 1000, LIMITED));
    assert_eq!(rig.state(20_000), CircuitState::Closed);
}

#[test]
fn a_rate_limit_fails_a_probe_and_recovery_resets_the_wait() {
    let policy = simple(1000).consecutive_failures(2).failure_ratio(0.2).min_calls(100);
    let rig = Rig::new(policy.open_backoff(secs(1)..=secs(100)));
    rig.records(0, FAILED, 2);
    assert_eq!(rig.state(0), CircuitState::Open);
    let probe = rig.permit(1000);
    assert!(rig.refused(1000));
    probe.record(LIMITED, rig.at(1000));
    assert_eq!(rig.state(1000), CircuitState::Open);
    assert_eq!(rig.state(2100), CircuitState::Open);
    rig.record(3000, OK);
    assert_eq!(rig.state(3000), CircuitState::Closed);
    for at in [3100, 3200] {
        rig.record(at, FAILED);
    }
    assert_eq!(rig.state(3200), CircuitState::Open);
    assert!(rig.permit(4250).is_probe());
}

#[test]
fn the_ratio_is_of_calls_not_of_time() {
    let rig = Rig::new(no_rule().window(secs(10)));
    rig.record(0, FAILED);
    rig.record(5000, OK);
    assert_eq!(rig.shown(5000).failure_ratio, Some(0.5));
    rig.record(10_500, OK);
    assert_eq!(rig.shown(10_500).failure_ratio, Some(0.0));

    let rig = Rig::new(no_rule().window(secs(10)));
    rig.records(0, FAILED, 2);
    assert_eq!(rig.shown(0).failure_ratio, Some(1.0));
    rig.records(6000, OK, 8);
    assert_eq!(rig.shown(6000).failure_ratio, Some(0.2));

    for gap in [0, 1000] {
        let rig = Rig::new(simple(5000).failure_ratio(0.5).min_calls(5).window(secs(10)));
        (0..4).for_each(|call| rig.record(call * gap, FAILED));
        assert_eq!(rig.state(3 * gap), CircuitState::Closed);
        rig.record(4 * gap, FAILED);
        assert_eq!(rig.state(4 * gap), CircuitState::Open);
    }

    let rig = Rig::new(simple(5000).failure_ratio(0.5).min_calls(3).window(secs(10)));
    for at in [0, 1000, 2000] {
        rig.record(at, OK);
    }
    for at in [3000, 204_000, 204_010] {
        rig.record(at, FAILED);
        assert_eq!(rig.state(at), CircuitState::Closed);
    }
    rig.record(204_020, FAILED);
    assert_eq!(rig.state(204_020), CircuitState::Open);
}

// === Finagle ===

#[test]
fn a_recovery_or_a_success_restarts_the_consecutive_count() {
    let rig = Rig::new(simple(5000).consecutive_failures(3));
    rig.records(0, FAILED, 2);
    assert_eq!(rig.shown(0).probe_in, None);
    rig.record(0, FAILED);
    assert_eq!(rig.shown(0).probe_in, Some(secs(5)));

    let rig = Rig::new(simple(5000).consecutive_failures(3));
    rig.record(0, FAILED);
    rig.breaker.reset();
    rig.records(0, FAILED, 2);
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, FAILED);
    assert_eq!(rig.shown(0).probe_in, Some(secs(5)));
}

#[test]
fn an_ignored_outcome_neither_resets_nor_adds_to_the_consecutive_count() {
    let rig = Rig::new(simple(2000).consecutive_failures(3));
    rig.records(0, FAILED, 2);
    rig.record(0, IGNORED);
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, FAILED);
    assert_eq!(rig.state(0), CircuitState::Open);

    let rig = Rig::new(simple(2000).consecutive_failures(1));
    rig.record(0, FAILED);
    rig.record(10_000, IGNORED);
    assert!(rig.permit(10_000).is_probe(), "another probe is let through");
}

// === Hystrix ===

#[test]
fn half_of_eight_opens_at_forty_percent_and_three_do_not() {
    let after = |outcomes: [Outcome; 8]| {
        let rig = Rig::new(simple(5000).failure_ratio(0.4).min_calls(8).window(secs(5)));
        for outcome in outcomes {
            rig.record(0, outcome);
        }
        rig.state(100)
    };
    assert_eq!(after([OK, OK, FAILED, OK, FAILED, OK, FAILED, FAILED]), CircuitState::Open);
    assert_eq!(after([OK, OK, FAILED, OK, OK, FAILED, OK, FAILED]), CircuitState::Closed);
}

#[test]
fn an_abandoned_probe_opens_again() {
    let rig = Rig::new(simple(200).consecutive_failures(4));
    rig.records(0, FAILED, 4);
    assert_eq!(rig.state(100), CircuitState::Open);
    (0..3).for_each(|_| rig.permit(350).record(Outcome::Cancelled, rig.at(350)));
    assert_eq!(rig.state(350), CircuitState::Open);
    rig.record(2350, OK);
    assert_eq!(rig.state(2350), CircuitState::Closed);

    let rig = Rig::new(simple(200).consecutive_failures(4));
    rig.records(0, FAILED, 3);
    rig.record(0, Outcome::TimedOut { phase: evenkeel::outcome::Phase::FirstEvent });
    assert_eq!(rig.state(100), CircuitState::Open);
    for at in [350, 600] {
        let probe = rig.permit(at);
        assert!(rig.refused(at));
        probe.record(FAILED, rig.at(at));
        assert!((0..3).all(|_| rig.refused(at)));
    }
    let probe = rig.permit(850);
    assert!(rig.refused(850));
    probe.record(OK, rig.at(850));
    assert_eq!(rig.state(850), CircuitState::Closed);
    assert!((0..3).all(|_| !rig.refused(850)));
}

// === cockatiel ===

#[test]
fn the_second_wait_is_the_longer_one() {
    let rig = Rig::new(simple(1000).consecutive_failures(2).open_backoff(secs(1)..=secs(2)));
    rig.records(0, FAILED, 2);
    rig.record(1000, FAILED);
    assert_eq!(rig.state(1000), CircuitState::Open);
    assert!(rig.refused(2000));
    rig.record(3000, OK);
    assert_eq!(rig.state(3000), CircuitState::Closed);
}

#[test]
fn successes_and_failures_are_counted_over_the_window() {
    let rig = Rig::new(no_rule().window(secs(5)));
    for second in 0..7 {
        rig.records(u64::from(second) * 1000, FAILED, second);
        rig.records(u64::from(second) * 1000, OK, 2 * second);
    }
    let shown = rig.shown(6999);
    assert_eq!((shown.calls, shown.failure_ratio), (60, Some(20.0 / 60.0)));
}

// === opossum ===

#[test]
fn a_ratio_of_one_percent_needs_the_minimum_of_calls() {
    let rig = Rig::new(simple(100).failure_ratio(0.01).min_calls(3));
    rig.records(0, FAILED, 2);
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, FAILED);
    assert_eq!(rig.state(0), CircuitState::Open);

    let rig = Rig::new(simple(100).failure_ratio(0.01).min_calls(1));
    rig.record(0, FAILED);
    assert_eq!(rig.state(150), CircuitState::HalfOpen);
    rig.permit(150).record(FAILED, rig.at(650));
    assert_eq!(rig.state(650), CircuitState::Open);
}
