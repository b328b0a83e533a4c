//! The breaker's permits under all interleavings of two threads.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --test loom --no-default-features --release`
#![cfg(loom)]

use std::time::Duration;

use evenkeel::{
    breaker::{BreakerPolicy, CircuitBreaker, CircuitState},
    outcome::Outcome,
};
use loom::thread;
use tokio::time::Instant;

const FAILED: Outcome = Outcome::Unavailable { wait: None };
const OPEN: Duration = Duration::from_secs(5);

/// A breaker that is due for its first probe, and the time of that.
fn due(policy: BreakerPolicy) -> (CircuitBreaker, Instant) {
    let policy = policy
        .jitter(0.0)
        .consecutive_failures(1)
        .open_backoff(OPEN..=OPEN)
        .ramp(Duration::ZERO, 1.0);
    let breaker = CircuitBreaker::new(policy).expect("valid");
    let now = Instant::now();
    breaker.try_acquire(now, 0.5).expect("closed").record(FAILED, now);
    (breaker, now + OPEN)
}

/// Runs two closures at the same time.
fn both<A: Send + 'static, B>(
    one: impl FnOnce() -> A + Send + 'static,
    other: impl FnOnce() -> B,
) -> (A, B) {
    let thread = thread::spawn(one);
    let other = other();
    (thread.join().expect("no panic"), other)
}

#[test]
fn two_threads_at_half_open_get_one_probe() {
    loom::model(|| {
        let (breaker, at) = due(BreakerPolicy::default());
        let same = breaker.clone();
        let (one, other) = both(move || same.try_acquire(at, 0.5), || breaker.try_acquire(at, 0.5));
        let probes =
            [&one, &other].into_iter().flatten().filter(|permit| permit.is_probe()).count();
        assert_eq!(probes, 1);
        assert_eq!(breaker.snapshot(at).probes, 1);
        for permit in [one, other].into_iter().flatten() {
            permit.record(Outcome::Success, at);
        }
        assert_eq!(breaker.snapshot(at).probes, 0);
    });
}

#[test]
fn a_drop_races_a_report() {
    loom::model(|| {
        let (breaker, at) = due(BreakerPolicy::default().max_probes(2).probe_successes(1));
        let dropped = breaker.try_acquire(at, 0.5).expect("a probe");
        let reported = breaker.try_acquire(at, 0.5).expect("another");
        both(move || drop(dropped), move || reported.record(Outcome::Success, at));
        // The first one decides, and the other is ignored or is a normal call: the breaker is not stuck half-open.
        let shown = breaker.snapshot(at);
        assert!(matches!(shown.state, CircuitState::Open | CircuitState::Closed), "{shown:?}");
        assert_eq!(shown.probes, 0);
    });
}

#[test]
fn a_dropped_permit_races_an_acquire() {
    loom::model(|| {
        let (breaker, at) = due(BreakerPolicy::default());
        let probe = breaker.try_acquire(at, 0.5).expect("a probe");
        let same = breaker.clone();
        let ((), second) =
            both(move || probe.record(Outcome::Cancelled, at), || same.try_acquire(at, 0.5));
        // It has the permit that was returned, or came before that.
        let shown = breaker.snapshot(at);
        assert_eq!(
            (shown.state, shown.probes),
            (CircuitState::HalfOpen, u32::from(second.is_ok()))
        );
        let next = second.or_else(|_| breaker.try_acquire(at, 0.5)).expect("the place is free");
        next.record(Outcome::Success, at);
    });
}

#[test]
fn two_failures_at_once_open_it_once() {
    loom::model(|| {
        let breaker =
            CircuitBreaker::new(BreakerPolicy::default().jitter(0.0).consecutive_failures(1))
                .expect("valid");
        let now = Instant::now();
        let one = breaker.try_acquire(now, 0.5).expect("closed");
        let other = breaker.try_acquire(now, 0.5).expect("closed");
        both(move || one.record(FAILED, now), move || other.record(FAILED, now));
        let shown = breaker.snapshot(now);
        assert_eq!(
            (shown.state, shown.probe_in),
            (CircuitState::Open, Some(OPEN)),
            "and not for twice as long"
        );
    });
}

#[test]
fn a_stream_that_begins_races_the_reset() {
    loom::model(|| {
        let (breaker, at) = due(BreakerPolicy::default());
        let mut probe = breaker.try_acquire(at, 0.5).expect("a probe");
        let same = breaker.clone();
        both(
            move || {
                probe.first_event(at);
                probe.record(FAILED, at);
            },
            move || same.reset(),
        );
        let shown = breaker.snapshot(at);
        assert_eq!((shown.state, shown.calls, shown.probes), (CircuitState::Closed, 0, 0));
    });
}
