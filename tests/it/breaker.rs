//! The breaker: its core, sequences from other test suites, its laws, and its layer.

mod core;
mod laws;
mod layer;
mod rates;
mod scenarios;

use std::time::Duration;

use evenkeel::{
    breaker::{
        AnswerTimes, BreakerPolicy, BreakerSnapshot, CircuitBreaker, CircuitState, Permit, Refusal,
    },
    outcome::Outcome,
};
use tokio::time::Instant;

use crate::support::{ms, secs};

const FAILED: Outcome = Outcome::Unavailable { wait: None };
const LIMITED: Outcome = Outcome::RateLimited { wait: None };
const IGNORED: Outcome = Outcome::TooLarge;

/// The defaults as fixed thresholds, without rates and without chance.
fn policy() -> BreakerPolicy {
    BreakerPolicy::default()
        .jitter(0.0)
        .consecutive_failures(5)
        .failure_ratio(0.5)
        .slow_after(AnswerTimes { first_event: secs(8), whole_answer: secs(16) })
}

/// A policy without any rule: each test adds the rule that it tests.
fn no_rule() -> BreakerPolicy {
    policy().consecutive_failures(None).failure_ratio(None).slow_ratio(None)
}

/// A breaker on its own clock: times are in milliseconds.
struct Rig {
    breaker: CircuitBreaker,
    start: Instant,
}

impl Rig {
    fn new(policy: BreakerPolicy) -> Self {
        let breaker = CircuitBreaker::new(policy).expect("a policy of a test is valid");
        Self { breaker, start: Instant::now() }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + ms(millis)
    }

    fn acquire(&self, millis: u64) -> Result<Permit, Refusal> {
        self.breaker.try_acquire(self.at(millis), 0.5)
    }

    fn permit(&self, millis: u64) -> Permit {
        self.acquire(millis).expect("a permit")
    }

    fn refused(&self, millis: u64) -> bool {
        self.acquire(millis).is_err()
    }

    /// A call that begins and ends at that time.
    fn record(&self, millis: u64, outcome: Outcome) {
        self.permit(millis).record(outcome, self.at(millis));
    }

    fn records(&self, millis: u64, outcome: Outcome, times: u32) {
        (0..times).for_each(|_| self.record(millis, outcome));
    }

    /// A call that ends at that time and lasted `took`.
    fn took(&self, millis: u64, outcome: Outcome, took: u64) {
        let start = self.start + ms(millis) - ms(took);
        let permit = self.breaker.try_acquire(start, 0.5).expect("a permit");
        permit.record(outcome, self.at(millis));
    }

    fn shown(&self, millis: u64) -> BreakerSnapshot {
        self.breaker.snapshot(self.at(millis))
    }

    fn state(&self, millis: u64) -> CircuitState {
        self.shown(millis).state
    }
}
