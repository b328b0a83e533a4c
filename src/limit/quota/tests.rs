use super::*;

fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

fn news(limit: f64, remaining: f64, reset: f64) -> RateLimitInfo {
    RateLimitInfo { limit: Some(limit), remaining: Some(remaining), reset: Some(secs(reset)) }
}

/// Takes one, and tells where it stood.
fn one(meter: &mut Quota, nth: u64, now: Instant) -> Mark {
    meter.take(1, now);
    mark(meter, nth, now)
}

fn mark(meter: &Quota, nth: u64, at: Instant) -> Mark {
    Mark { nth, at, taken: meter.taken }
}

#[test]
fn the_limit_that_is_told_takes_the_place_of_the_one_that_was_set() {
    let now = Instant::now();
    for set in [30.0, 120.0] {
        let mut meter = Quota::set(set, 1.0 / 60.0, now);
        let mark = one(&mut meter, 1, now);
        meter.news(&RateLimitInfo { reset: None, ..news(60.0, 59.0, 1.0) }, mark, now);
        assert_eq!(meter.a_minute(), Some(60.0));
        let now = now + MINUTE;
        meter.take(1, now);
        assert_eq!(meter.wait(0.0, 1, now), secs(1.0), "{set}");
    }
}

#[test]
fn what_is_left_corrects_in_both_directions() {
    let now = Instant::now();
    let mut meter = Quota::set(1000.0, 1.0, now);
    meter.take(900, now);
    let mark = mark(&meter, 1, now);
    meter.news(&RateLimitInfo { remaining: Some(700.0), ..RateLimitInfo::default() }, mark, now);
    assert_eq!(meter.left(now), Some(700.0));
    let mark = one(&mut meter, 2, now);
    meter.news(&RateLimitInfo { remaining: Some(10.0), ..RateLimitInfo::default() }, mark, now);
    assert_eq!(meter.left(now), Some(10.0));
}

#[test]
fn what_is_left_counts_for_a_pace_only_where_it_is_less() {
    let now = Instant::now();
    let mut meter = Quota::set(60.0, 1.0 / 60.0, now);
    let mark = one(&mut meter, 1, now);
    meter.news(&RateLimitInfo { reset: None, ..news(60.0, 59.0, 1.0) }, mark, now);
    assert_eq!(meter.wait(0.0, 1, now), secs(1.0), "of how it comes back nothing is known");
    let now = now + secs(5.0);
    let mark = one(&mut meter, 2, now);
    let now = now + secs(1.0);
    meter.news(&news(60.0, 0.0, 60.0), mark, now);
    assert_eq!(meter.left(now), Some(1.0), "what came since the attempt was sent");
    let mark = one(&mut meter, 3, now);
    meter.news(&news(60.0, 0.0, 60.0), mark, now);
    assert_eq!(meter.wait(0.0, 1, now), secs(1.0));
}

#[test]
fn what_was_left_unused_is_used_at_twice_the_pace_and_not_at_once() {
    let mut now = Instant::now();
    let mut meter = Quota::set(60.0, 1.0 / 60.0, now);
    for nth in 1..50 {
        now += meter.wait(0.0, 1, now);
        let mark = one(&mut meter, nth, now);
        let left = 60.0 - nth as f64 / 2.0;
        meter.news(&news(60.0, left, 60.0 - left), mark, now);
        assert_eq!(meter.wait(0.0, 1, now), secs(0.5));
    }
    let mark = one(&mut meter, 50, now);
    meter.news(&news(60.0, 2.0, 58.0), mark, now);
    assert!(meter.wait(0.0, 1, now) >= secs(1.0));
}

#[test]
fn more_left_than_was_thought_to_be_there_is_a_larger_limit() {
    let now = Instant::now();
    let mut meter = Quota::set(30.0, 1.0 / 60.0, now);
    let mark = one(&mut meter, 1, now);
    meter.news(&RateLimitInfo { remaining: Some(59.0), ..RateLimitInfo::default() }, mark, now);
    assert_eq!(meter.a_minute(), Some(59.0));
}

#[test]
fn old_news_changes_nothing() {
    let now = Instant::now();
    let mut meter = Quota::set(100.0, 1.0, now);
    let first = one(&mut meter, 1, now);
    let second = one(&mut meter, 2, now);
    meter.news(&news(100.0, 3.0, 58.2), second, now);
    meter.news(&news(100.0, 99.0, 0.6), first, now);
    assert_eq!(meter.left(now), Some(3.0));
    assert!(meter.wait(0.0, 9, now) > Duration::ZERO);
}

#[test]
fn what_was_sent_since_is_not_in_what_is_told() {
    let now = Instant::now();
    let mut meter = Quota::set(100.0, 1.0, now);
    let first = one(&mut meter, 1, now);
    for _ in 0..9 {
        meter.take(1, now);
    }
    meter.news(&news(100.0, 40.0, 36.0), first, now);
    assert_eq!(meter.left(now), Some(31.0));
}

#[test]
fn an_answer_that_took_minutes_does_not_stop_the_route() {
    let now = Instant::now();
    let mut meter = Quota::set(60.0, 1.0 / 60.0, now);
    let first = one(&mut meter, 1, now);
    let mut at = now;
    for _ in 0..180 {
        at += secs(1.0);
        meter.take(1, at);
    }
    meter.news(&news(60.0, 59.0, 1.0), first, at);
    assert!(meter.wait(0.0, 1, at) <= secs(1.0));
}

#[test]
fn a_window_that_is_used_up_is_left_alone_until_it_begins_anew() {
    let now = Instant::now();
    for mut meter in [Quota::untold(), Quota::set(60.0, 1.0 / 60.0, now)] {
        let mark = one(&mut meter, 1, now);
        meter.news(&news(60.0, 0.0, 20.0), mark, now);
        assert_eq!(meter.wait(0.0, 1, now), secs(20.0));
        assert_eq!(meter.wait(0.0, 1, now + secs(20.0)), Duration::ZERO);
    }
    let mut bare = Quota::untold();
    let mark = one(&mut bare, 1, now);
    let told = RateLimitInfo { remaining: Some(0.0), reset: Some(secs(7.0)), limit: None };
    bare.news(&told, mark, now);
    assert_eq!(bare.wait(0.0, 1, now), secs(7.0));
    let mark = one(&mut bare, 2, now);
    bare.news(&RateLimitInfo { remaining: Some(5.0), ..told }, mark, now);
    assert_eq!(bare.wait(0.0, 1, now), Duration::ZERO);
}

#[test]
fn what_was_not_used_is_given_back_and_what_was_used_beyond_is_owed() {
    let now = Instant::now();
    let mut meter = Quota::set(1000.0, 1.0, now);
    meter.take(600, now);
    meter.settle(1, 600, 100);
    assert_eq!(meter.left(now), Some(900.0));
    meter.take(100, now);
    meter.settle(2, 100, 1500);
    assert_eq!(meter.left(now), Some(-600.0));
}

#[test]
fn what_the_provider_has_told_is_not_given_back_a_second_time() {
    let now = Instant::now();
    let mut meter = Quota::set(1000.0, 1.0, now);
    meter.take(600, now);
    let mark = mark(&meter, 1, now);
    meter.news(&news(1000.0, 400.0, 36.0), mark, now);
    meter.settle(mark.nth, 600, 100);
    assert_eq!(meter.left(now), Some(400.0));
}

#[test]
fn an_estimate_empties_a_bucket_and_owes_nothing() {
    let now = Instant::now();
    let mut meter = Quota::set(200_000.0, 1.0, now);
    meter.take(1_000_000, now);
    assert_eq!(meter.left(now), Some(0.0));
    meter.settle(1, 1_000_000, 1_500);
    assert_eq!(meter.left(now), Some(198_500.0));
    let mark = mark(&meter, 2, now);
    meter.take(1_000_000, now + MINUTE);
    meter.news(&news(200_000.0, 150_000.0, 15.0), mark, now + MINUTE);
    assert_eq!(meter.left(now + MINUTE), Some(0.0));
}

#[test]
fn a_limit_that_was_only_told_holds_nobody_on_an_estimate() {
    let now = Instant::now();
    let mut meter = Quota::untold();
    let mark = one(&mut meter, 1, now);
    meter.news(&news(50_000.0, 40_000.0, 12.0), mark, now);
    let cost = Cost { requests: 1, input: 100_000, output: 1_000_000 };
    for kind in [Kind::Tokens, Kind::Input, Kind::Output] {
        assert_eq!(meter.wait(0.0, meter.counts(kind, cost), now), Duration::ZERO, "{kind:?}");
    }
    let mark = one(&mut meter, 2, now);
    meter.news(&news(50_000.0, 0.0, 60.0), mark, now);
    assert!(meter.wait(0.0, meter.counts(Kind::Input, cost), now) > Duration::ZERO);
}
