//! A provider that fails a share of the attempts with 503, at every rate: the table of the shares of calls that are answered.
//!
//! Draws are paired: every client gets the same answer at the same attempt of the same call, so that only calls that were refused
//! or not retried make a difference. The results of the plain client and the SDKs follow from the draws alone.

use std::time::Duration;

use evenkeel::{Client, ClientBuilder, Profile, retry::RetryPolicy};

use super::simulation::{Act, Attempt, Traffic, World, answered, between, draw, play, refused};
use crate::{
    outage::clients::{self, Setting},
    support::{chat, ms, secondary, secs},
};

/// One percentage point.
const POINT: f64 = 0.01;

/// The retries of the official SDKs.
const RETRIES: u32 = 2;

/// The shares of the calls that were answered.
#[derive(Clone, Copy, Debug)]
struct Row {
    traffic: Traffic,
    fails: f64,
    plain: f64,
    sdk: f64,
    /// The breaker forced closed.
    alone: f64,
    evenkeel: f64,
    refused: f64,
    /// With a healthy second target.
    fallback: f64,
}

fn client(traffic: Traffic) -> ClientBuilder {
    let retry = RetryPolicy::default().seed(traffic.seed);
    Client::builder().profile(Profile::default().retry(retry))
}

/// The share of calls answered with up to `retries` retries, whatever the waits between them.
fn asks_again(traffic: Traffic, fails: f64, retries: u32) -> f64 {
    let calls = traffic.times().len() as u64;
    let well = |call: u64, nth: u32| {
        draw(traffic.seed, Attempt { call, nth, at: Duration::ZERO }) >= fails
    };
    let answered = (0..calls).filter(|call| (0..=retries).any(|nth| well(*call, nth)));
    answered.count() as f64 / calls as f64
}

impl Row {
    fn new(rate: f64, calls: f64, fails: f64, seed: u64) -> Self {
        let traffic = Traffic::new(rate, Duration::from_secs_f64(calls / rate), seed);
        let world = || World::failing(fails, seed);
        let alone = play(seed, async {
            let client = client(traffic).build_with(world().transport()).unwrap();
            for route in client.routes_of(&chat(false)) {
                client.breakers().force_closed(&route);
            }
            answered(&traffic.play(client, |_| chat(false)).await)
        });
        let (evenkeel, refused) = play(seed, async {
            let client = client(traffic).build_with(world().transport()).unwrap();
            let came = traffic.play(client, |_| chat(false)).await;
            (answered(&came), refused(&came))
        });
        let fallback = play(seed, async {
            let second = World::new(|_| Act::Answers(ms(300)));
            let builder = client(traffic).fallback(secondary());
            let client = builder.build_with(between(&world(), &second)).unwrap();
            answered(&traffic.play(client, |_| chat(false)).await)
        });
        let plain = asks_again(traffic, fails, 0);
        let sdk = asks_again(traffic, fails, RETRIES);
        let row = Self { traffic, fails, plain, sdk, alone, evenkeel, refused, fallback };
        println!("{}", row.line());
        row
    }

    fn line(&self) -> String {
        let Self { traffic, fails, plain, sdk, alone, evenkeel, refused, fallback } = self;
        let (rate, calls) = (traffic.rate, traffic.times().len());
        format!(
            "{rate} a second, {fails} fails, {calls} calls: evenkeel {evenkeel:.4} ({refused:.4} refused), with a fallback \
             {fallback:.4}, alone {alone:.4}, SDKs {sdk:.4}, plain {plain:.4}"
        )
    }
}

/// At each share, evenkeel answers within a point of each other client, and with a fallback all calls.
fn table(rate: f64, calls: f64, shares: &[f64]) {
    for fails in shares {
        let row = Row::new(rate, calls, *fails, (1e6 * (rate + fails)) as u64);
        assert!(row.plain < 1.0 - 0.8 * fails, "the provider has to fail: {}", row.line());
        for other in [row.alone, row.sdk, row.plain] {
            assert!(row.evenkeel >= other - POINT, "{}", row.line());
        }
        assert_eq!(row.fallback, 1.0, "{}", row.line());
    }
}

#[test]
fn a_call_in_three_seconds_fares_no_worse_at_a_provider_that_fails_in_part() {
    table(0.3, 700.0, &[0.2, 0.3]);
}

#[test]
fn a_call_a_second_fares_no_worse_at_a_provider_that_fails_in_part() {
    table(1.0, 700.0, &[0.2, 0.3]);
}

#[test]
fn five_calls_a_second_fare_no_worse_at_a_provider_that_fails_in_part() {
    table(5.0, 1_000.0, &[0.2, 0.3]);
}

#[test]
fn twenty_calls_a_second_fare_no_worse_at_a_provider_that_fails_in_part() {
    table(20.0, 1_500.0, &[0.2, 0.3]);
}

#[test]
fn a_hundred_calls_a_second_fare_no_worse_at_a_provider_that_fails_in_part() {
    table(100.0, 2_000.0, &[0.2, 0.3]);
}

#[test]
fn five_hundred_calls_a_second_fare_no_worse_at_a_provider_that_fails_in_part() {
    table(500.0, 2_500.0, &[0.1, 0.2, 0.3]);
}

/// Beyond that a breaker may have to refuse calls; even so no caller is worse off than without retries and breaker, and only
/// refused calls are lost.
#[test]
fn where_half_of_the_attempts_fail_no_call_is_lost_but_those_that_are_refused() {
    for (rate, calls) in [(0.3, 400.0), (5.0, 500.0), (100.0, 1_200.0)] {
        for seed in [1, 2] {
            let row = Row::new(rate, calls, 0.5, seed);
            assert!(row.evenkeel + row.refused >= row.alone - POINT, "{}", row.line());
            assert!(row.evenkeel >= row.plain - POINT, "{}", row.line());
            assert_eq!(row.fallback, 1.0, "{}", row.line());
        }
    }
}

#[test]
fn the_fates_have_the_given_share_and_each_attempt_has_its_own() {
    let fails = |call: u64, nth: u32| draw(3, Attempt { call, nth, at: Duration::ZERO }) < 0.2;
    let count = |is: &dyn Fn(u64) -> bool| (0..10_000).filter(|call| is(*call)).count();
    assert!((1_900..2_100).contains(&count(&|call| fails(call, 0))));
    assert!((1_900..2_100).contains(&count(&|call| fails(call, 2))));
    // A fifth, and a fifth of that.
    assert!((350..450).contains(&count(&|call| fails(call, 0) && fails(call, 1))));
    assert!((60..100).contains(&count(&|call| (0..3).all(|nth| fails(call, nth)))));
    assert!((350..450).contains(&count(&|call| fails(call, 0) && fails(call + 1, 0))));
}

#[test]
fn the_compared_clients_answer_as_their_fates_determine() {
    let traffic = Traffic::new(5.0, secs(60), 4);
    let world = || World::failing(0.3, traffic.seed);
    let plain = play(4, async {
        answered(&traffic.play(clients::plain(world().transport()), |_| chat(false)).await)
    });
    let sdk = play(4, async {
        let client =
            clients::retries(world().transport(), Setting { seed: traffic.seed, scale: 1.0 });
        answered(&traffic.play(client, |_| chat(false)).await)
    });
    assert_eq!((plain, sdk), (asks_again(traffic, 0.3, 0), asks_again(traffic, 0.3, RETRIES)));
}

/// Answers of a model take seconds, while failures come at once: the failures so far do not predict the attempts in progress.
fn begins_to_fail(rate: f64, after: Duration) {
    let begins = secs(60);
    for (seed, fails) in [(1, 0.1), (2, 0.2), (3, 0.2), (4, 0.3), (5, 0.3)] {
        let traffic = Traffic::new(rate, begins + after, seed);
        let world = World::new(move |it| match it.at >= begins && draw(seed, it) < fails {
            true => Act::Status(503, ms(300)),
            false => Act::Answers(secs(2)),
        });
        let came = play(seed, async {
            let client = client(traffic).build_with(world.transport()).unwrap();
            traffic.play(client, |_| chat(false)).await
        });
        let (refused, answered) = (refused(&came), answered(&came));
        println!("{rate} a second, {fails} begins to fail: {answered:.4}, {refused:.4} refused");
        assert_eq!(
            refused, 0.0,
            "{rate} a second, {fails} fails, seed {seed}: {answered} answered"
        );
    }
}

#[test]
fn a_partial_failure_that_begins_at_a_call_in_two_seconds_refuses_no_call() {
    begins_to_fail(0.5, secs(900));
}

#[test]
fn a_partial_failure_that_begins_at_three_calls_a_second_refuses_no_call() {
    begins_to_fail(3.0, secs(150));
}

#[test]
fn a_partial_failure_that_begins_at_twenty_calls_a_second_refuses_no_call() {
    begins_to_fail(20.0, secs(20));
}
