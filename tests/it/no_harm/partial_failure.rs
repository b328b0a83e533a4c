//! A partial failure with a breaker alone: the breaker does not turn it into an outage.

use std::time::Duration;

use evenkeel::{
    Client,
    breaker::{BreakerPolicy, CircuitBreaker, CircuitState},
    outcome::Outcome,
};
use fastrand::Rng;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::simulation::{Act, Got, Traffic, World, answered, numbered, one, play};
use crate::support::{all_closed, chat, ms, secs};

/// The number of 100 000 calls, at 5 000 a second, that a breaker alone refuses.
fn refused_alone(share: f64, seed: u64) -> u32 {
    let breaker = CircuitBreaker::new(BreakerPolicy::default()).unwrap();
    let (start, mut rng) = (Instant::now(), Rng::with_seed(seed));
    let mut refused = 0;
    for n in 0..100_000_u32 {
        let now = start + Duration::from_micros(200) * n;
        match breaker.try_acquire(now, rng.f64()) {
            Ok(permit) if rng.f64() < share => {
                permit.record(Outcome::Unavailable { wait: None }, now);
            }
            Ok(permit) => permit.record(Outcome::Success, now),
            Err(_) => refused += 1,
        }
    }
    refused
}

#[test]
fn a_breaker_by_itself_refuses_none_of_5000_calls_a_second_while_up_to_three_in_ten_fail() {
    for share in [0.05, 0.1, 0.2, 0.3] {
        for seed in [1, 2] {
            assert_eq!(refused_alone(share, seed), 0, "{share} fails, seed {seed}");
        }
    }
}

#[test]
fn a_breaker_by_itself_sees_an_outage_at_5000_calls_a_second() {
    assert!(refused_alone(1.0, 1) > 70_000);
}

#[test]
fn calls_that_are_lost_with_one_connection_do_not_open_a_breaker_by_itself() {
    let breaker = CircuitBreaker::new(BreakerPolicy::default()).unwrap();
    let start = Instant::now();
    let at = |n: u32| start + ms(1) * n;
    for n in 0..10_000 {
        breaker.try_acquire(at(n), 0.5).unwrap().record(Outcome::Success, at(n));
    }
    let now = at(10_000);
    let permits: Vec<_> = (0..50).map(|_| breaker.try_acquire(now, 0.5).unwrap()).collect();
    for permit in permits {
        permit.record(Outcome::ConnectionLost, now);
    }
    assert_eq!(breaker.snapshot(now).state, CircuitState::Closed);
}

#[test]
fn fifty_calls_that_are_lost_with_one_connection_are_all_answered() {
    play(1, async {
        // A minute of ten calls a second; then fifty calls at once, each of which loses its first attempt.
        let lost = |call: u64, nth: u32| (1000..1050).contains(&call) && nth == 0;
        let world = World::new(move |it| match lost(it.call, it.nth) {
            true => Act::Loses(ms(100)),
            false => Act::Answers(ms(100)),
        });
        let client = Client::builder().build_with(world.transport()).unwrap();
        let before = Traffic::new(10.0, secs(60), 1);
        assert_eq!(answered(&before.play(client.clone(), |_| chat(false)).await), 1.0);
        let calls = (1000..1050).map(|call| one(client.clone(), numbered(chat(false), call)));
        let came = join_all(calls).await;
        let answered = came.iter().filter(|got| matches!(got, Got::Answer(_))).count();
        assert!(all_closed(&client), "{:?}", client.breakers().list());
        assert_eq!(answered, 50, "{came:?}");
    });
}
