use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn cooldown() -> Cooldown {
    Cooldown::new(Some(SECOND / 2))
}

#[test]
fn a_wait_closes_and_a_shorter_one_does_not_open() {
    let now = Instant::now();
    let mut cooldown = cooldown();
    assert_eq!(cooldown.close(20 * SECOND, now), Some(now + 20 * SECOND));
    assert_eq!(cooldown.close(5 * SECOND, now + SECOND), None);
    assert_eq!(cooldown.wait(now + SECOND), 19 * SECOND);
    assert!(cooldown.close(60 * SECOND, now + SECOND).is_some());
    cooldown.expire(now + 61 * SECOND, 0, 0.5);
    assert_eq!(cooldown.wait(now + 61 * SECOND), Duration::ZERO);
}

#[test]
fn waits_without_a_hint_grow_in_a_row_and_start_anew_after_an_answer() {
    let now = Instant::now();
    let mut cooldown = cooldown();
    let waits: Vec<_> = (0..8).filter_map(|_| cooldown.wait_without_hint(now)).collect();
    assert_eq!(waits[..3], [SECOND / 2, SECOND, 2 * SECOND]);
    assert_eq!(waits[7], LimitPolicy::MAX_COOLDOWN_WITHOUT_HINT);
    cooldown.on_let_in(1, now);
    assert_eq!(cooldown.wait_without_hint(now), Some(SECOND / 2));
}

#[test]
fn what_was_sent_before_the_cooldown_does_not_make_it_longer() {
    let now = Instant::now();
    let mut cooldown = cooldown();
    cooldown.close(SECOND, now + SECOND);
    assert_eq!(cooldown.wait_without_hint(now), None);
    assert!(cooldown.wait_without_hint(now + 2 * SECOND).is_some());
}

#[test]
fn a_wait_of_a_day_ends_after_ten_minutes_or_with_a_probe_that_is_let_in() {
    let now = Instant::now();
    let mut cooldown = cooldown();
    cooldown.close(86_400 * SECOND, now);
    assert_eq!((cooldown.wait(now), cooldown.wait_for_next(now)), (600 * SECOND, 60 * SECOND));
    let probed = now + 60 * SECOND;
    assert!(cooldown.is_probe_due(probed) && !cooldown.is_probe_due(probed - SECOND));
    cooldown.on_sent(1, probed);
    assert_eq!(cooldown.wait_for_next(probed), 120 * SECOND);
    assert!(!cooldown.on_let_in(2, probed) && cooldown.on_let_in(1, probed));
    assert_eq!(cooldown.wait_for_next(probed), Duration::ZERO);
}

#[test]
fn those_that_waited_go_out_one_after_the_other() {
    let mut now = Instant::now();
    let start = now;
    let mut cooldown = cooldown();
    cooldown.close(10 * SECOND, now);
    now += 10 * SECOND;
    cooldown.expire(now, 50, 0.5);
    assert_eq!(cooldown.wait(now), SECOND / 2);
    let mut gone = Vec::new();
    for n in 0..50 {
        now += cooldown.wait(now);
        gone.push(now - start);
        cooldown.on_released(now, f64::from(n % 10) / 10.0);
    }
    assert!(gone.windows(2).all(|two| two[1] - two[0] >= SECOND / 20), "{gone:?}");
    assert!(gone[49] <= 16 * SECOND, "{:?}", gone[49]);
    assert_eq!(cooldown.wait(now), Duration::ZERO);
}
