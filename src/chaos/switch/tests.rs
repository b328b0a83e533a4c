//! The switch in virtual time.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::ChaosSwitch;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_switch_is_off_until_it_is_switched_on_and_off_again_after_its_time() {
    let switch = ChaosSwitch::new();
    assert!(!switch.is_on() && switch.ends_in().is_none());
    let other = switch.clone();
    other.on();
    assert_eq!(switch.ends_in(), Some(3600 * SECOND));
    advance(3599 * SECOND).await;
    assert!(switch.is_on());
    advance(SECOND).await;
    assert!(!switch.is_on() && switch.ends_in().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_period_ends_by_the_switch_by_its_time_and_by_the_next_one() {
    let switch = ChaosSwitch::for_at_most(10 * SECOND);
    for end in [ChaosSwitch::off, ChaosSwitch::on] {
        switch.on();
        let ended = tokio::spawn(switch.ended(switch.period(Instant::now()).unwrap()));
        advance(SECOND).await;
        assert!(!ended.is_finished());
        end(&switch);
        ended.await.unwrap();
    }
    switch.on();
    let (start, period) = (Instant::now(), switch.period(Instant::now()).unwrap());
    switch.ended(period).await;
    assert_eq!(start.elapsed(), 10 * SECOND);
    assert!(switch.has_expired(period));
    switch.off();
    assert!(!switch.has_expired(period));
}

#[test]
fn a_time_that_is_no_game_day_is_refused() {
    for wrong in [Duration::ZERO, 25 * 3600 * SECOND] {
        let error = ChaosSwitch::for_at_most(wrong).check().unwrap_err();
        assert_eq!(error.field(), "chaos.for_at_most");
        assert!(error.reason().contains("allowed is from 1s to 24 hours"), "{error}");
    }
}
