use super::*;
use crate::limit::rate_limit_info::RateLimitInfo;

fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

fn info(limit: f64, remaining: f64, reset: f64) -> RateLimitInfo {
    RateLimitInfo { limit: Some(limit), remaining: Some(remaining), reset: Some(secs(reset)) }
}

/// Takes one cell for an attempt.
fn take_one(quota: &mut Quota, number: u64, now: Instant) -> QuotaSnapshot {
    quota.take(1, now);
    snapshot(quota, number, now)
}

fn snapshot(quota: &Quota, number: u64, sent_at: Instant) -> QuotaSnapshot {
    QuotaSnapshot { number, sent_at, total_taken: quota.total_taken }
}

#[test]
fn a_reported_limit_takes_the_place_of_the_configured_one() {
    let now = Instant::now();
    for set in [30.0, 120.0] {
        let mut quota = Quota::configured(set, 1.0 / 60.0, now);
        let snapshot = take_one(&mut quota, 1, now);
        quota.on_report(&RateLimitInfo { reset: None, ..info(60.0, 59.0, 1.0) }, snapshot, now);
        assert_eq!(quota.per_minute(), Some(60.0));
        let now = now + MINUTE;
        quota.take(1, now);
        assert_eq!(quota.wait(0.0, 1, now), secs(1.0), "{set}");
    }
}

#[test]
fn what_is_left_corrects_in_both_directions() {
    let now = Instant::now();
    let mut quota = Quota::configured(1000.0, 1.0, now);
    quota.take(900, now);
    let snapshot = snapshot(&quota, 1, now);
    quota.on_report(
        &RateLimitInfo { remaining: Some(700.0), ..RateLimitInfo::default() },
        snapshot,
        now,
    );
    assert_eq!(quota.remaining(now), Some(700.0));
    let snapshot = take_one(&mut quota, 2, now);
    quota.on_report(
        &RateLimitInfo { remaining: Some(10.0), ..RateLimitInfo::default() },
        snapshot,
        now,
    );
    assert_eq!(quota.remaining(now), Some(10.0));
}

#[test]
fn what_is_left_counts_for_a_pace_only_where_it_is_less() {
    let now = Instant::now();
    let mut quota = Quota::configured(60.0, 1.0 / 60.0, now);
    let snapshot = take_one(&mut quota, 1, now);
    quota.on_report(&RateLimitInfo { reset: None, ..info(60.0, 59.0, 1.0) }, snapshot, now);
    assert_eq!(quota.wait(0.0, 1, now), secs(1.0), "of how it comes back nothing is known");
    let now = now + secs(5.0);
    let snapshot = take_one(&mut quota, 2, now);
    let now = now + secs(1.0);
    quota.on_report(&info(60.0, 0.0, 60.0), snapshot, now);
    assert_eq!(quota.remaining(now), Some(1.0), "what came since the attempt was sent");
    let snapshot = take_one(&mut quota, 3, now);
    quota.on_report(&info(60.0, 0.0, 60.0), snapshot, now);
    assert_eq!(quota.wait(0.0, 1, now), secs(1.0));
}

#[test]
fn what_was_left_unused_is_used_at_twice_the_pace_and_not_at_once() {
    let mut now = Instant::now();
    let mut quota = Quota::configured(60.0, 1.0 / 60.0, now);
    for nth in 1..50 {
        now += quota.wait(0.0, 1, now);
        let snapshot = take_one(&mut quota, nth, now);
        let left = 60.0 - nth as f64 / 2.0;
        quota.on_report(&info(60.0, left, 60.0 - left), snapshot, now);
        assert_eq!(quota.wait(0.0, 1, now), secs(0.5));
    }
    let snapshot = take_one(&mut quota, 50, now);
    quota.on_report(&info(60.0, 2.0, 58.0), snapshot, now);
    assert!(quota.wait(0.0, 1, now) >= secs(1.0));
}

#[test]
fn more_left_than_was_thought_to_be_there_is_a_larger_limit() {
    let now = Instant::now();
    let mut quota = Quota::configured(30.0, 1.0 / 60.0, now);
    let snapshot = take_one(&mut quota, 1, now);
    quota.on_report(
        &RateLimitInfo { remaining: Some(59.0), ..RateLimitInfo::default() },
        snapshot,
        now,
    );
    assert_eq!(quota.per_minute(), Some(59.0));
}

#[test]
fn the_answer_to_an_earlier_attempt_changes_nothing() {
    let now = Instant::now();
    let mut quota = Quota::configured(100.0, 1.0, now);
    let first = take_one(&mut quota, 1, now);
    let second = take_one(&mut quota, 2, now);
    quota.on_report(&info(100.0, 3.0, 58.2), second, now);
    quota.on_report(&info(100.0, 99.0, 0.6), first, now);
    assert_eq!(quota.remaining(now), Some(3.0));
    assert!(quota.wait(0.0, 9, now) > Duration::ZERO);
}

#[test]
fn what_was_sent_since_is_not_in_what_is_reported() {
    let now = Instant::now();
    let mut quota = Quota::configured(100.0, 1.0, now);
    let first = take_one(&mut quota, 1, now);
    for _ in 0..9 {
        quota.take(1, now);
    }
    quota.on_report(&info(100.0, 40.0, 36.0), first, now);
    assert_eq!(quota.remaining(now), Some(31.0));
}

#[test]
fn an_answer_that_took_minutes_does_not_stop_the_route() {
    let now = Instant::now();
    let mut quota = Quota::configured(60.0, 1.0 / 60.0, now);
    let first = take_one(&mut quota, 1, now);
    let mut at = now;
    for _ in 0..180 {
        at += secs(1.0);
        quota.take(1, at);
    }
    quota.on_report(&info(60.0, 59.0, 1.0), first, at);
    assert!(quota.wait(0.0, 1, at) <= secs(1.0));
}

#[test]
fn a_window_that_is_used_up_is_left_alone_until_it_begins_anew() {
    let now = Instant::now();
    for mut quota in [Quota::unknown(), Quota::configured(60.0, 1.0 / 60.0, now)] {
        let snapshot = take_one(&mut quota, 1, now);
        quota.on_report(&info(60.0, 0.0, 20.0), snapshot, now);
        assert_eq!(quota.wait(0.0, 1, now), secs(20.0));
        assert_eq!(quota.wait(0.0, 1, now + secs(20.0)), Duration::ZERO);
    }
    let mut bare = Quota::unknown();
    let snapshot = take_one(&mut bare, 1, now);
    let window = RateLimitInfo { remaining: Some(0.0), reset: Some(secs(7.0)), limit: None };
    bare.on_report(&window, snapshot, now);
    assert_eq!(bare.wait(0.0, 1, now), secs(7.0));
    let snapshot = take_one(&mut bare, 2, now);
    bare.on_report(&RateLimitInfo { remaining: Some(5.0), ..window }, snapshot, now);
    assert_eq!(bare.wait(0.0, 1, now), Duration::ZERO);
}

#[test]
fn what_was_not_used_is_given_back_and_what_was_used_beyond_is_owed() {
    let now = Instant::now();
    let mut quota = Quota::configured(1000.0, 1.0, now);
    quota.take(600, now);
    quota.settle(Settlement { number: 1, reserved: 600, used: 100 });
    assert_eq!(quota.remaining(now), Some(900.0));
    quota.take(100, now);
    quota.settle(Settlement { number: 2, reserved: 100, used: 1500 });
    assert_eq!(quota.remaining(now), Some(-600.0));
}

#[test]
fn what_the_provider_has_reported_is_not_given_back_a_second_time() {
    let now = Instant::now();
    let mut quota = Quota::configured(1000.0, 1.0, now);
    quota.take(600, now);
    let snapshot = snapshot(&quota, 1, now);
    quota.on_report(&info(1000.0, 400.0, 36.0), snapshot, now);
    quota.settle(Settlement { number: snapshot.number, reserved: 600, used: 100 });
    assert_eq!(quota.remaining(now), Some(400.0));
}

#[test]
fn an_estimate_empties_a_bucket_and_owes_nothing() {
    let now = Instant::now();
    let mut quota = Quota::configured(200_000.0, 1.0, now);
    quota.take(1_000_000, now);
    assert_eq!(quota.remaining(now), Some(0.0));
    quota.settle(Settlement { number: 1, reserved: 1_000_000, used: 1_500 });
    assert_eq!(quota.remaining(now), Some(198_500.0));
    let snapshot = snapshot(&quota, 2, now);
    quota.take(1_000_000, now + MINUTE);
    quota.on_report(&info(200_000.0, 150_000.0, 15.0), snapshot, now + MINUTE);
    assert_eq!(quota.remaining(now + MINUTE), Some(0.0));
}

#[test]
fn a_limit_that_was_only_reported_holds_nobody_on_an_estimate() {
    let now = Instant::now();
    let mut quota = Quota::unknown();
    let snapshot = take_one(&mut quota, 1, now);
    quota.on_report(&info(50_000.0, 40_000.0, 12.0), snapshot, now);
    let cost = Cost { requests: 1, input: 100_000, output: 1_000_000 };
    for dimension in [CostDimension::Tokens, CostDimension::Input, CostDimension::Output] {
        assert_eq!(
            quota.wait(0.0, quota.cells(dimension, cost), now),
            Duration::ZERO,
            "{dimension:?}"
        );
    }
    let snapshot = take_one(&mut quota, 2, now);
    quota.on_report(&info(50_000.0, 0.0, 60.0), snapshot, now);
    assert!(quota.wait(0.0, quota.cells(CostDimension::Input, cost), now) > Duration::ZERO);
}
