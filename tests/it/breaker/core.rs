//! The core of the breaker: known defects of other breakers that it must not have, and its own rules.

use evenkeel::{breaker::TransitionReason, outcome::Rejection};

use super::*;

/// Closes after two probes, without a ramp, one call at a time.
fn plain() -> BreakerPolicy {
    policy().ramp(Duration::ZERO, 1.0)
}

/// A breaker that opened at 0 after five failures, and is due for a probe at 5 s.
fn opened(policy: BreakerPolicy) -> Rig {
    let rig = Rig::new(policy);
    rig.records(0, FAILED, 5);
    assert_eq!(rig.state(0), CircuitState::Open);
    rig
}

/// A breaker that opened at 0 and is recovering since 5 s.
fn recovering(policy: BreakerPolicy) -> Rig {
    let rig = opened(policy);
    rig.records(5000, Outcome::Success, 2);
    assert_eq!(rig.state(5000), CircuitState::Recovering);
    rig
}

#[test]
fn a_long_past_of_successes_does_not_delay_the_opening() {
    let rig = Rig::new(policy().consecutive_failures(None));
    rig.records(0, Outcome::Success, 100_000);
    rig.records(30_000, FAILED, 9);
    assert_eq!(rig.state(30_000), CircuitState::Closed);
    rig.record(30_000, FAILED);
    assert_eq!(rig.state(30_000), CircuitState::Open);
}

#[test]
fn probes_that_complete_one_by_one_are_never_stuck() {
    let rig = opened(plain().probe_successes(50).max_probes(3));
    for second in 0..49 {
        rig.record(5000 + second * 1000, Outcome::Success);
        assert_eq!(rig.state(5000 + second * 1000), CircuitState::HalfOpen);
    }
    rig.record(60_000, Outcome::Success);
    assert_eq!(rig.state(60_000), CircuitState::Closed);
}

#[test]
fn a_hung_probe_opens_again_and_its_permit_is_then_ignored() {
    let rig = opened(plain());
    let hung = rig.permit(5000);
    assert!(hung.is_probe());
    assert!(rig.refused(24_999));
    assert_eq!(rig.state(24_999), CircuitState::HalfOpen);
    assert_eq!(rig.state(25_000), CircuitState::Open);
    assert_eq!(rig.shown(25_000).opened_by, Some(TransitionReason::ProbeHung));
    assert_eq!(rig.shown(25_000).probe_in, Some(secs(10)));

    let next = rig.permit(35_000);
    assert!(next.is_probe());
    hung.record(Outcome::Success, rig.at(35_100));
    assert_eq!(rig.shown(35_100).probes, 1);
    assert!(rig.refused(35_100));
    next.record(Outcome::Success, rig.at(35_200));
    assert_eq!(rig.state(35_200), CircuitState::HalfOpen, "one success of two");
}

#[test]
fn a_hung_probe_without_other_calls_costs_no_more_than_its_limit() {
    let rig = opened(plain());
    let _hung = rig.permit(5000);
    // It opened at 25 s for 10 s, although there was no call before.
    assert!(rig.permit(36_000).is_probe());
}

#[test]
fn a_probe_past_its_limit_fails_when_no_call_came_meanwhile() {
    let rig = opened(plain());
    let late = rig.permit(5000);
    late.record(Outcome::Success, rig.at(25_001));
    assert_eq!(rig.shown(25_001).opened_by, Some(TransitionReason::ProbeHung));
}

#[test]
fn permits_of_an_earlier_generation_are_ignored() {
    let rig = Rig::new(plain());
    let old: Vec<_> = (0..8).map(|_| rig.permit(0)).collect();
    rig.records(0, FAILED, 5);
    let mut old = old.into_iter();
    let mut end = |outcome, at| old.next().expect("eight").record(outcome, rig.at(at));

    // While it is open, half-open and closed again: not a success, not a failure, not the outcome of a probe.
    end(Outcome::Success, 1000);
    end(Outcome::QuotaExhausted { wait: None }, 1000);
    assert_eq!(rig.shown(1000).probe_in, Some(secs(4)));
    let probe = rig.permit(5000);
    end(Outcome::Success, 5000);
    end(Outcome::Success, 5000);
    end(FAILED, 5000);
    assert_eq!(rig.state(5000), CircuitState::HalfOpen);
    probe.record(Outcome::Success, rig.at(5000));
    rig.record(5000, Outcome::Success);
    assert_eq!(rig.state(5000), CircuitState::Closed);
    end(FAILED, 5000);
    end(Outcome::QuotaExhausted { wait: None }, 5000);
    end(Outcome::Cancelled, 50_000);
    assert_eq!((rig.shown(5000).calls, rig.shown(5000).consecutive_failures), (0, 0));
}

#[test]
fn calls_cancelled_after_long_waits_open_the_breaker() {
    let rig = Rig::new(policy());
    for second in 0..9 {
        rig.took(10_000 + second * 1000, Outcome::Cancelled, 9000);
    }
    assert_eq!(rig.state(18_000), CircuitState::Closed);
    rig.took(19_000, Outcome::Cancelled, 9000);
    assert_eq!(rig.shown(19_000).opened_by, Some(TransitionReason::Slow));
}

#[test]
fn calls_that_were_cancelled_soon_are_ignored() {
    let rig = Rig::new(policy());
    for second in 0..200 {
        rig.took(10_000 + second * 10, Outcome::Cancelled, 8000);
    }
    let shown = rig.shown(12_000);
    assert_eq!((shown.state, shown.calls, shown.slow_ratio), (CircuitState::Closed, 0, None));
}

#[test]
fn a_permit_that_is_dropped_is_a_cancelled_call() {
    let rig = opened(plain());
    // Dropped at the real time, while the breaker's clock is ahead: this must not fail.
    (0..3).for_each(|_| drop(rig.permit(5000)));
    assert_eq!(rig.shown(5000).opened_by, Some(TransitionReason::ProbeDropped));
}

#[test]
fn zero_probes_are_refused_by_build() {
    let refused = |policy: BreakerPolicy| policy.build().expect_err("refused").field().to_owned();
    assert_eq!(refused(policy().max_probes(0)), "breaker.max_probes");
    assert_eq!(refused(policy().max_probes(9)), "breaker.max_probes");
    assert_eq!(refused(policy().probe_successes(0)), "breaker.probe_successes");
    assert!(CircuitBreaker::new(policy().max_probes(0)).is_err());
}

#[test]
fn wrong_values_are_refused_by_build() {
    let refused = |policy: BreakerPolicy| policy.build().expect_err("refused").field().to_owned();
    assert_eq!(refused(policy().consecutive_failures(0)), "breaker.consecutive_failures");
    for share in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(policy().failure_ratio(share)), "breaker.failure_ratio");
        assert_eq!(refused(policy().slow_ratio(share)), "breaker.slow_ratio");
        assert_eq!(refused(policy().ramp(secs(20), share)), "breaker.ramp");
    }
    for share in [1.0, -0.1, f64::NAN] {
        assert_eq!(refused(BreakerPolicy::default().jitter(share)), "breaker.jitter");
    }
    assert_eq!(refused(policy().min_calls(0)), "breaker.min_calls");
    assert_eq!(refused(policy().window(Duration::ZERO)), "breaker.window");
    assert_eq!(refused(policy().open_backoff(Duration::ZERO..=secs(1))), "breaker.open_backoff");
    assert_eq!(refused(policy().open_backoff(secs(5)..=secs(4))), "breaker.open_backoff");
    assert_eq!(refused(policy().quota_backoff(secs(1)..=secs(9))), "breaker.quota_backoff");
    assert_eq!(refused(policy().quota_backoff(secs(9)..=secs(8))), "breaker.quota_backoff");
    // Otherwise an answer that is not even slow would count as a hung probe.
    assert_eq!(refused(policy().probe_timeout(secs(15))), "breaker.probe_timeout");
    assert!(policy().slow_ratio(None).probe_timeout(secs(15)).build().is_ok());
    assert!(
        policy().consecutive_failures(None).failure_ratio(None).slow_ratio(None).build().is_ok()
    );
}

#[test]
fn a_slow_probe_does_not_close_the_breaker() {
    let rig = Rig::new(plain());
    for second in 1..=10 {
        rig.took(second * 9000, Outcome::Success, 9000);
    }
    assert_eq!(rig.shown(90_000).opened_by, None, "a window of 30 s never held ten of them");
    let rig = Rig::new(plain());
    (0..10).for_each(|_| rig.took(9000, Outcome::Success, 9000));
    assert_eq!(rig.shown(9000).opened_by, Some(TransitionReason::Slow));

    rig.took(23_001, Outcome::Success, 8001);
    assert_eq!(rig.shown(23_001).opened_by, Some(TransitionReason::ProbeSlow));
    assert_eq!(rig.shown(23_001).probe_in, Some(secs(10)));
    rig.took(43_000, Outcome::Success, 8000);
    assert_eq!(rig.state(43_000), CircuitState::HalfOpen, "exactly the limit is not slow");
}

#[test]
fn a_stream_that_begins_late_is_a_slow_probe_too() {
    let rig = opened(plain());
    let mut probe = rig.permit(5000);
    probe.first_event(rig.at(13_001));
    assert_eq!(rig.shown(13_001).opened_by, Some(TransitionReason::ProbeSlow));
    probe.record(Outcome::Success, rig.at(20_000));
    assert_eq!(rig.shown(20_000).opened_by, Some(TransitionReason::ProbeSlow));
}

#[test]
fn an_answer_that_is_not_streamed_may_take_longer() {
    let rig = opened(plain());
    rig.permit(5000).unary().record(Outcome::Success, rig.at(21_000));
    assert_eq!(rig.state(21_000), CircuitState::HalfOpen);
    rig.permit(21_000).unary().record(Outcome::Success, rig.at(37_001));
    assert_eq!(rig.shown(37_001).opened_by, Some(TransitionReason::ProbeSlow));
}

#[test]
fn half_open_admits_one_of_a_thousand() {
    let rig = opened(plain());
    let permits: Vec<_> = (0..1000).filter_map(|_| rig.acquire(5000).ok()).collect();
    assert_eq!(permits.len(), 1);
    assert_eq!(rig.shown(5000).probes, 1);
}

#[test]
fn a_dropped_probe_hands_its_place_back_and_the_third_opens_again_for_as_long_as_before() {
    let rig = opened(plain());
    for at in [5000, 5500] {
        rig.permit(at).record(Outcome::Cancelled, rig.at(5500));
        assert_eq!((rig.shown(5500).state, rig.shown(5500).probes), (CircuitState::HalfOpen, 0));
    }
    rig.permit(5500).record(Outcome::Cancelled, rig.at(5500));
    let shown = rig.shown(5500);
    assert_eq!(
        (shown.opened_by, shown.probe_in),
        (Some(TransitionReason::ProbeDropped), Some(secs(5)))
    );
    rig.records(10_500, Outcome::Success, 2);
    assert_eq!(rig.state(10_500), CircuitState::Closed);
}

#[test]
fn a_probe_given_up_after_a_long_wait_is_a_slow_one() {
    let rig = opened(plain());
    rig.permit(5000).record(Outcome::Cancelled, rig.at(14_000));
    let shown = rig.shown(14_000);
    assert_eq!(
        (shown.opened_by, shown.probe_in),
        (Some(TransitionReason::ProbeSlow), Some(secs(10)))
    );
}

#[test]
fn five_consecutive_failures_open_and_a_success_restarts_the_count() {
    let rig = Rig::new(policy());
    rig.records(0, FAILED, 4);
    rig.record(0, Outcome::Success);
    rig.records(0, Outcome::ConnectionLost, 4);
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, Outcome::Unreachable);
    assert_eq!(rig.shown(0).opened_by, Some(TransitionReason::Consecutive));
}

#[test]
fn half_of_ten_calls_failed_opens_and_half_of_nine_does_not() {
    let rig = Rig::new(policy());
    (0..4).for_each(|_| {
        rig.record(0, FAILED);
        rig.record(0, Outcome::Success);
    });
    rig.record(0, FAILED);
    assert_eq!(rig.shown(0).failure_ratio, Some(5.0 / 9.0));
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, Outcome::Success);
    assert_eq!(rig.shown(0).opened_by, Some(TransitionReason::Ratio));
}

#[test]
fn a_rate_limit_counts_in_the_ratio_and_not_as_consecutive() {
    let rig = Rig::new(policy());
    rig.records(0, FAILED, 4);
    rig.records(0, LIMITED, 4);
    assert_eq!((rig.shown(0).state, rig.shown(0).consecutive_failures), (CircuitState::Closed, 4));
    let one_more = rig.permit(0);
    rig.records(0, LIMITED, 2);
    assert_eq!(rig.shown(0).opened_by, Some(TransitionReason::Ratio));
    drop(one_more);

    let rig = Rig::new(policy().failure_ratio(None));
    rig.records(0, LIMITED, 100);
    rig.records(0, FAILED, 4);
    rig.records(0, LIMITED, 1);
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, FAILED);
    assert_eq!(rig.shown(0).opened_by, Some(TransitionReason::Consecutive));
}

#[test]
fn a_rate_limit_fails_a_probe_and_its_hint_is_a_floor() {
    let rig = opened(plain());
    rig.record(5000, Outcome::RateLimited { wait: Some(secs(60)) });
    let shown = rig.shown(5000);
    assert_eq!(
        (shown.opened_by, shown.probe_in),
        (Some(TransitionReason::ProbeFailed), Some(secs(60)))
    );
}

#[test]
fn ignored_outcomes_are_not_counted_anywhere() {
    let rig = Rig::new(policy());
    rig.records(0, FAILED, 4);
    let refused = Outcome::NotSent { retry_in: None };
    for outcome in [Outcome::TooLarge, Outcome::Blocked, refused] {
        rig.took(60_000, outcome, 59_000);
    }
    let shown = rig.shown(60_000);
    assert_eq!((shown.calls, shown.consecutive_failures, shown.slow_ratio), (0, 4, None));
    rig.record(60_000, FAILED);
    assert_eq!(rig.shown(60_000).opened_by, Some(TransitionReason::Consecutive));
}

#[test]
fn an_ignored_probe_hands_its_permit_back_without_deciding() {
    let rig = opened(plain());
    (0..9).for_each(|_| rig.record(5000, IGNORED));
    assert_eq!((rig.shown(5000).state, rig.shown(5000).probes), (CircuitState::HalfOpen, 0));
    assert!(rig.permit(5000).is_probe());
}

#[test]
fn an_exhausted_quota_opens_at_once_for_a_minute_and_twice_as_long_at_each_return() {
    let rig = Rig::new(plain());
    rig.records(0, Outcome::Success, 1000);
    rig.record(0, Outcome::QuotaExhausted { wait: None });
    let shown = rig.shown(0);
    assert_eq!(
        (shown.opened_by, shown.probe_in),
        (Some(TransitionReason::Exhausted), Some(secs(60)))
    );
    rig.record(60_000, Outcome::QuotaExhausted { wait: None });
    assert_eq!(rig.shown(60_000).probe_in, Some(secs(120)));
    rig.record(180_000, Outcome::QuotaExhausted { wait: Some(secs(90)) });
    assert_eq!(rig.shown(180_000).probe_in, Some(secs(90)));
    rig.record(270_000, Outcome::QuotaExhausted { wait: Some(secs(86_400)) });
    assert_eq!(rig.shown(270_000).probe_in, Some(secs(480)));
}

const DENIED: Outcome = Outcome::Rejected { why: Rejection::Credential };

#[test]
fn a_credential_that_is_rejected_twice_in_a_row_opens_for_seconds_that_double() {
    let rig = Rig::new(plain().unauthorized(2));
    rig.record(0, DENIED);
    rig.record(1000, FAILED);
    assert_eq!(rig.state(1000), CircuitState::Closed, "once is a glitch");
    rig.record(2000, DENIED);
    let shown = rig.shown(2000);
    assert_eq!(
        (shown.opened_by, shown.probe_in),
        (Some(TransitionReason::Unauthorized), Some(secs(5)))
    );
    assert!(rig.refused(6_999));
    rig.record(7_000, DENIED);
    assert_eq!(rig.shown(7_000).probe_in, Some(secs(10)), "the probe was rejected");
    rig.records(17_000, Outcome::Success, 2);
    assert_eq!(rig.state(17_000), CircuitState::Closed);
    rig.record(18_000, DENIED);
    assert_eq!(rig.state(18_000), CircuitState::Closed, "all is forgotten");
}

/// One caller's calls are rejected, while the others with the same credential are answered.
#[test]
fn rejections_among_answers_open_by_their_ratio_and_only_for_calls_with_another_target() {
    let rig = Rig::new(plain());
    rig.records(0, DENIED, 2);
    assert_eq!(rig.shown(0).opened_by, Some(TransitionReason::Unauthorized), "it was well so far");
    assert!(!rig.refused(1000), "nobody is refused who has no other target");
    rig.records(5_000, Outcome::Success, 2);
    for second in 6..60 {
        rig.record(second * 1000, Outcome::Success);
        rig.records(second * 1000, DENIED, 2);
    }
    assert_eq!(rig.state(60_000), CircuitState::Closed, "two of three are rejected");
    rig.records(60_000, DENIED, 30);
    assert_eq!(rig.state(60_000), CircuitState::Open);
}

#[test]
fn a_success_between_two_rejections_of_the_credential_keeps_it_closed() {
    let rig = Rig::new(plain());
    for second in 0..50 {
        rig.record(second * 1000, DENIED);
        rig.record(second * 1000, Outcome::Success);
    }
    let shown = rig.shown(50_000);
    assert_eq!((shown.state, shown.failure_ratio), (CircuitState::Closed, Some(0.0)));
}

#[test]
fn rejections_of_the_credential_can_be_ignored() {
    let rig = Rig::new(plain().unauthorized(None));
    rig.records(0, DENIED, 100);
    assert_eq!(rig.state(0), CircuitState::Closed);
    for why in [Rejection::Gateway, Rejection::Model, Rejection::Request] {
        let rig = Rig::new(plain());
        rig.records(0, Outcome::Rejected { why }, 100);
        assert_eq!(rig.state(0), CircuitState::Closed, "{why}");
    }
}

#[test]
fn an_operator_can_close_a_breaker_that_a_rejected_credential_opened() {
    let rig = Rig::new(plain());
    rig.records(0, DENIED, 2);
    rig.breaker.reset();
    assert_eq!(rig.state(0), CircuitState::Closed);
    rig.record(0, DENIED);
    assert_eq!(rig.state(0), CircuitState::Closed, "it counts anew");
    rig.breaker.force_closed();
    rig.records(0, DENIED, 9);
    assert_eq!(rig.state(0), CircuitState::ForcedClosed);
}

#[test]
fn an_outage_after_an_exhausted_quota_is_open_for_seconds_again() {
    let rig = Rig::new(plain());
    rig.record(0, Outcome::QuotaExhausted { wait: None });
    rig.record(300_000, FAILED);
    assert_eq!(rig.shown(300_000).probe_in, Some(secs(5)));
}

#[test]
fn each_reopening_doubles_the_time_and_a_full_recovery_resets_it() {
    let rig = opened(policy());
    let mut at = 5000;
    for lasts in [10, 20, 30, 30] {
        rig.record(at, FAILED);
        assert_eq!(rig.shown(at).probe_in, Some(secs(lasts)));
        at += lasts * 1000;
    }
    rig.records(at, Outcome::Success, 2);
    rig.record(at, FAILED);
    assert_eq!(rig.shown(at + 19_999).state, CircuitState::Recovering);
    assert_eq!(rig.shown(at + 19_999).opened_by, Some(TransitionReason::ProbeFailed));
    assert_eq!(rig.shown(at + 20_000).state, CircuitState::Closed);
    assert_eq!(rig.shown(at + 20_000).opened_by, None);
    rig.records(at + 20_000, FAILED, 5);
    assert_eq!(rig.shown(at + 20_000).probe_in, Some(secs(5)));
}

#[test]
fn a_reset_clears_the_open_backoff() {
    let rig = opened(policy());
    rig.record(5000, FAILED);
    rig.breaker.reset();
    assert_eq!(rig.shown(5000).opened_by, None);
    rig.records(5000, FAILED, 5);
    assert_eq!(rig.shown(5000).probe_in, Some(secs(5)));
}

#[test]
fn jitter_spreads_the_openings_by_a_fifth() {
    let lasting = |random| {
        let breaker =
            CircuitBreaker::new(BreakerPolicy::default().consecutive_failures(1)).expect("valid");
        let now = Instant::now();
        let permit = breaker.try_acquire(now, random).expect("closed");
        permit.record(FAILED, now);
        breaker.snapshot(now).probe_in.expect("open")
    };
    assert_eq!(lasting(0.0), secs(4));
    assert_eq!(lasting(0.5), secs(5));
    assert_eq!(lasting(0.75), ms(5500));
}

#[test]
fn a_refusal_states_the_right_wait() {
    let rig = opened(plain());
    let refusal = rig.acquire(1800).expect_err("open");
    assert_eq!((refusal.state(), refusal.retry_in()), (CircuitState::Open, ms(3200)));
    assert_eq!(refusal.outcome(), Outcome::NotSent { retry_in: Some(ms(3200)) });
    assert!(rig.refused(4999));
    let _probe = rig.permit(5000);
    let refusal = rig.acquire(5000).expect_err("a probe is under way");
    assert_eq!((refusal.state(), refusal.retry_in()), (CircuitState::HalfOpen, ms(2500)));
}

#[test]
fn a_growing_share_passes_during_recovery() {
    let rig = recovering(policy());
    let passed = |from: u64| {
        let mut passed = 0;
        for at in (from..from + 1000).step_by(10) {
            if let Ok(permit) = rig.acquire(at) {
                passed += 1;
                permit.record(Outcome::Success, rig.at(at));
            }
        }
        passed
    };
    let shares = [passed(5000), passed(10_000), passed(15_000), passed(20_000), passed(24_000)];
    // 10 %, and 4.5 % more in each second.
    assert_eq!(shares, [13, 34, 57, 80, 97]);
    assert_eq!(rig.state(24_999), CircuitState::Recovering);
    assert_eq!(passed(25_000), 100);
    assert_eq!(rig.state(25_999), CircuitState::Closed);
}

#[test]
fn three_failures_during_recovery_open_again_for_longer() {
    let rig = recovering(policy());
    let permits: Vec<_> = (0..40).filter_map(|_| rig.acquire(6000).ok()).collect();
    let mut permits = permits.into_iter();
    let mut fail = |at| permits.next().expect("enough pass").record(FAILED, rig.at(at));
    fail(6000);
    fail(6000);
    assert_eq!(rig.state(6000), CircuitState::Recovering);
    fail(6000);
    let shown = rig.shown(6000);
    assert_eq!(
        (shown.opened_by, shown.probe_in),
        (Some(TransitionReason::Consecutive), Some(secs(10)))
    );
}

#[test]
fn the_ratio_during_recovery_is_of_calls_since_recovery_began() {
    let rig = recovering(policy());
    let permits: Vec<_> = (0..40).filter_map(|_| rig.acquire(6000).ok()).collect();
    let outcomes = [Outcome::Success, FAILED, Outcome::Success, FAILED, FAILED];
    for (permit, outcome) in permits.into_iter().zip(outcomes) {
        assert_eq!(rig.state(6000), CircuitState::Recovering);
        permit.record(outcome, rig.at(6000));
    }
    assert_eq!(rig.shown(6000).opened_by, Some(TransitionReason::Ratio));
}

#[test]
fn calls_admitted_during_recovery_still_count_once_closed() {
    let rig = recovering(policy());
    let permits: Vec<_> = (0..200).filter_map(|_| rig.acquire(20_000).ok()).collect();
    permits.into_iter().take(5).for_each(|permit| permit.record(FAILED, rig.at(26_000)));
    assert_eq!(rig.shown(26_000).opened_by, Some(TransitionReason::Consecutive));
}

#[test]
fn a_probe_with_content_admits_the_next_probe_and_recovery_begins() {
    let rig = opened(policy());
    let mut first = rig.permit(5000);
    first.first_event(rig.at(5100));
    assert!(!first.is_probe());
    let mut second = rig.permit(5100);
    assert!(second.is_probe());
    second.first_event(rig.at(5200));
    assert_eq!(rig.state(5200), CircuitState::Recovering, "minutes before the bodies end");
    first.record(Outcome::Truncated, rig.at(6000));
    assert_eq!(rig.shown(6000).consecutive_failures, 1, "a failure like any other");
    second.record(Outcome::Success, rig.at(6000));
    let shown = rig.shown(6000);
    assert_eq!(
        (shown.calls, shown.consecutive_failures),
        (2, 1),
        "it was asked for before the failure"
    );
}

#[test]
fn a_probe_whose_body_dies_while_half_open_opens_again() {
    let rig = opened(policy());
    let mut first = rig.permit(5000);
    first.first_event(rig.at(5100));
    first.record(Outcome::Truncated, rig.at(5200));
    assert_eq!(rig.shown(5200).opened_by, Some(TransitionReason::ProbeFailed));
    assert_eq!(rig.shown(5200).probe_in, Some(secs(10)));
}

#[test]
fn a_probe_admitted_before_recovery_counts_as_a_call_afterwards() {
    let rig = opened(policy().max_probes(4));
    let mut probes: Vec<_> = (0..4).map(|_| rig.permit(5000)).collect();
    assert!(rig.refused(5000));
    let mut settle = |outcome| probes.pop().expect("four").record(outcome, rig.at(6000));
    settle(Outcome::Success);
    settle(Outcome::Success);
    assert_eq!(rig.state(6000), CircuitState::Recovering);
    settle(Outcome::Cancelled);
    settle(FAILED);
    assert_eq!(
        (rig.state(6000), rig.shown(6000).consecutive_failures),
        (CircuitState::Recovering, 1)
    );
}

#[test]
fn a_stream_counts_once_with_the_latency_of_its_first_event() {
    let rig = Rig::new(policy());
    let mut slow = rig.permit(0);
    slow.first_event(rig.at(9000));
    slow.first_event(rig.at(9500));
    let shown = rig.shown(9500);
    assert_eq!((shown.calls, shown.slow_ratio), (0, Some(1.0)));
    let mut quick = rig.permit(9500);
    quick.first_event(rig.at(9600));
    quick.record(Outcome::Success, rig.at(25_000));
    slow.record(Outcome::Truncated, rig.at(25_000));
    let shown = rig.shown(25_000);
    assert_eq!((shown.calls, shown.failure_ratio), (2, Some(0.5)));
    assert_eq!(shown.slow_ratio, Some(0.5), "a long stream is not a slow one");
}

#[test]
fn an_answer_that_its_caller_dropped_counts_as_a_success() {
    let rig = Rig::new(policy());
    rig.records(0, FAILED, 4);
    let mut permit = rig.permit(0);
    permit.first_event(rig.at(100));
    permit.record(Outcome::Cancelled, rig.at(60_000));
    let shown = rig.shown(60_000);
    assert_eq!((shown.calls, shown.consecutive_failures, shown.failure_ratio), (1, 0, Some(0.0)));
}

#[test]
fn a_quota_that_ends_inside_a_stream_opens_at_once() {
    let rig = Rig::new(policy());
    let mut permit = rig.permit(0);
    permit.first_event(rig.at(100));
    permit.record(Outcome::QuotaExhausted { wait: None }, rig.at(200));
    assert_eq!(rig.shown(200).opened_by, Some(TransitionReason::Exhausted));
}

#[test]
fn every_change_empties_the_window() {
    let rig = Rig::new(plain());
    rig.records(0, Outcome::Success, 4);
    rig.records(0, FAILED, 5);
    assert_eq!((rig.shown(0).calls, rig.shown(0).consecutive_failures), (0, 0));
    rig.records(5000, Outcome::Success, 2);
    assert_eq!(rig.shown(5000).calls, 0);
}

#[test]
fn a_wait_past_the_end_of_time_does_not_panic() {
    let rig = Rig::new(policy().consecutive_failures(1).max_hint(Duration::MAX));
    rig.record(0, Outcome::Unavailable { wait: Some(Duration::MAX) });
    assert_eq!(rig.state(59_000), CircuitState::Open);
    assert_eq!(rig.state(u64::from(u32::MAX)), CircuitState::HalfOpen, "probes find out meanwhile");
}

#[test]
fn a_snapshot_shows_since_when_and_why_it_is_in_its_state_however_late_it_is_asked() {
    let rig = Rig::new(policy().ramp(secs(20), 0.1));
    let shown = |millis: u64| {
        let seen = rig.shown(millis);
        (seen.state, seen.since - rig.start, seen.reason)
    };
    assert_eq!(shown(900), (CircuitState::Closed, Duration::ZERO, None));
    rig.records(1000, FAILED, 5);
    let why = TransitionReason::Consecutive;
    assert_eq!(shown(2000), (CircuitState::Open, secs(1), Some(why)));
    // The open time has been over for three seconds.
    assert_eq!(shown(9000), (CircuitState::HalfOpen, secs(6), Some(TransitionReason::Waited)));
    rig.records(10_000, Outcome::Success, 2);
    let why = TransitionReason::ProbesPassed;
    assert_eq!(shown(11_000), (CircuitState::Recovering, secs(10), Some(why)));
    // The ramp has ended long ago.
    let why = TransitionReason::Recovered;
    assert_eq!(shown(100_000), (CircuitState::Closed, secs(30), Some(why)));
}
