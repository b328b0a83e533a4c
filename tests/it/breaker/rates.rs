//! The default rules, which depend on the rate of calls: partial failures at any rate, outages after any history, and many
//! credentials.

use evenkeel::{Error, Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use super::*;

fn default() -> BreakerPolicy {
    BreakerPolicy::default().jitter(0.0)
}

/// The number of `calls` that are refused when the share `failing` of them fails, with `apart` microseconds between them. Each
/// takes 300 ms.
fn refused(calls: u64, apart: u64, failing: f64, seed: u64) -> u64 {
    let rig = Rig::new(default());
    let mut random = fastrand::Rng::with_seed(seed);
    let mut under_way = std::collections::VecDeque::new();
    let mut refused = 0;
    let at = |micros: u64| rig.start + Duration::from_micros(micros);
    for call in 0..calls {
        let now = call * apart;
        while let Some((ends, permit, outcome)) = under_way.pop_front() {
            if ends > now {
                under_way.push_front((ends, permit, outcome));
                break;
            }
            let permit: Permit = permit;
            permit.record(outcome, at(ends));
        }
        let outcome = if random.f64() < failing { FAILED } else { Outcome::Success };
        match rig.breaker.try_acquire(at(now), 0.5) {
            Ok(permit) => under_way.push_back((now + 300_000, permit, outcome)),
            Err(_) => refused += 1,
        }
    }
    refused
}

#[test]
fn a_partial_failure_refuses_no_call_at_any_rate() {
    for (calls, apart) in [(100_000, 200), (50_000, 2000), (20_000, 50_000), (2000, 1_000_000)] {
        for failing in [0.05, 0.1, 0.2, 0.3] {
            for seed in 1..4 {
                let refused = refused(calls, apart, failing, seed);
                assert_eq!(refused, 0, "{failing} of {calls}, {apart} µs apart, seed {seed}");
            }
        }
    }
}

#[test]
fn answers_lost_with_one_connection_are_one_failure() {
    for outcome in [Outcome::ConnectionLost, Outcome::Truncated] {
        let rig = Rig::new(default());
        rig.records(0, Outcome::Success, 10_000);
        let lost: Vec<_> = (0..50).map(|_| rig.permit(1000)).collect();
        for (n, permit) in (0..).zip(lost) {
            permit.record(outcome, rig.at(3000 + n));
        }
        let shown = rig.shown(3100);
        assert_eq!((shown.state, shown.consecutive_failures), (CircuitState::Closed, 1));
    }
}

#[test]
fn fifty_failures_at_one_moment_are_no_outage() {
    let rig = Rig::new(default());
    rig.records(0, Outcome::Success, 1000);
    let failing: Vec<_> = (0..50).map(|_| rig.permit(40_000)).collect();
    failing.into_iter().for_each(|permit| permit.record(FAILED, rig.at(40_300)));
    assert_eq!(rig.state(40_400), CircuitState::Closed);
}

#[test]
fn failures_that_arrive_before_answers_do_not_count_until_the_answers_arrive() {
    // Twenty calls a second: one in four fails at once, the others are answered after ten seconds.
    let rig = Rig::new(default());
    let mut answering = Vec::new();
    for n in 0..200 {
        let permit = rig.permit(n * 50);
        if n % 4 == 0 {
            permit.record(FAILED, rig.at(n * 50 + 10));
        } else {
            answering.push(permit);
        }
    }
    assert_eq!(rig.state(10_000), CircuitState::Closed);
}

#[test]
fn an_outage_opens_after_as_many_failures_as_the_past_of_the_route_asks_for() {
    for (failing, most) in [(0.0, 5), (0.1, 7), (0.2, 10), (0.3, 14)] {
        let rig = Rig::new(default());
        let mut random = fastrand::Rng::with_seed(7);
        for second in 0..300 {
            let outcome = if random.f64() < failing { FAILED } else { Outcome::Success };
            rig.record(second * 1000, outcome);
        }
        rig.record(300_000, Outcome::Success);
        let opened = (1..=most).find(|n| {
            rig.record(300_000 + n * 1000, FAILED);
            rig.state(300_000 + n * 1000) == CircuitState::Open
        });
        assert!(opened.is_some_and(|n| n >= 3), "{failing}: {opened:?} of at most {most}");
    }
}

#[test]
fn a_bad_share_halves_what_the_ramp_lets_through_and_a_return_of_the_outage_opens_again() {
    let recovering = || {
        let rig = Rig::new(default());
        (0..5).for_each(|n| rig.record(n * 500, FAILED));
        assert_eq!(rig.state(2000), CircuitState::Open);
        rig.records(7000, Outcome::Success, 2);
        assert_eq!(rig.state(7000), CircuitState::Recovering);
        rig
    };
    // At 16 s into the ramp, three quarters of the calls are let through.
    let calls = |rig: &Rig, good: usize| {
        let passed: Vec<_> = (0..40).filter_map(|_| rig.acquire(20_000).ok()).collect();
        for (n, permit) in passed.into_iter().enumerate() {
            let outcome = if n < good { Outcome::Success } else { FAILED };
            permit.record(outcome, rig.at(20_000 + 100 * n as u64));
        }
        rig.shown(24_000)
    };
    let rig = recovering();
    let shown = calls(&rig, 2);
    assert_eq!(shown.state, CircuitState::Recovering);
    assert!(shown.share < 0.7, "{shown:?}");
    let rig = recovering();
    assert_eq!(calls(&rig, 0).state, CircuitState::Open, "none succeeded");
}

const KEY: &str = "authorization";

fn request(key: &str) -> Request {
    http::Request::post("https://api.test/v1/chat/completions")
        .header(KEY, key)
        .body(bytes::Bytes::from_static(br#"{"model":"m","messages":[]}"#))
        .expect("a request")
}

/// A provider that is down for all credentials but one.
async fn down_but_for_one(request: Request) -> Result<Response, Error> {
    match request.headers()[KEY] == "Bearer well" {
        true => Ok(Response::default()),
        false => Err(Error::new(FAILED)),
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_met_with_another_credential_by_each_call_opens_for_credentials_without_an_answer()
 {
    let layer = default().build().expect("valid");
    let service = layer.layer(service_fn(down_but_for_one));
    let mut sent = 0;
    for n in 0..2000 {
        let known = service.clone().oneshot(request("Bearer well")).await;
        assert!(known.is_ok(), "a credential that is answered is not refused for others");
        for _ in 0..2 {
            let error = service.clone().oneshot(request(&format!("Bearer {n}"))).await;
            sent += u32::from(!error.expect_err("it is down").is_refused());
        }
        tokio::time::sleep(ms(100)).await;
    }
    // Any answer ends the outage; here the breaker of each credential has to detect it.
    assert!(sent > 0);

    let layer = default().build().expect("valid");
    let service = layer.layer(service_fn(down_but_for_one));
    assert!(service.clone().oneshot(request("Bearer well")).await.is_ok());
    let mut sent = 0;
    for n in 0..2000 {
        let error = service.clone().oneshot(request(&format!("Bearer {n}"))).await;
        sent += u32::from(!error.expect_err("it is down").is_refused());
        tokio::time::sleep(ms(100)).await;
    }
    assert!(sent < 40, "{sent} of 2000 calls in 200 s");
    let open = layer.handle().list().into_iter().find(|(route, _)| route.credential() == "*");
    assert_ne!(open.expect("seen together").1.state, CircuitState::Closed);
}
