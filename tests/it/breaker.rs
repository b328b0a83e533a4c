//! The breaker: without a layer, against the sequences of other suites, its laws, and as a layer.

mod core;
mod laws;
mod layer;
mod rates;
mod scenarios;

use std::time::Duration;

use evenkeel::{
    breaker::{Breaker, BreakerPolicy, Permit, Refusal, Snapshot, State},
    outcome::Outcome,
};
use tokio::time::Instant;

use crate::support::{ms, secs};

const FAILED: Outcome = Outcome::Unavailable { wait: None };
const LIMITED: Outcome = Outcome::RateLimited { wait: None };
const IGNORED: Outcome = Outcome::TooLarge;

/// The defaults as thresholds that know no rate, and without chance.
fn policy() -> BreakerPolicy {
    BreakerPolicy::default().jitter(0.0).consecutive(5).ratio(0.5).slow_after(secs(8), secs(16))
}

/// A policy without any rule: tests add the one they are about.
fn no_rule() -> BreakerPolicy {
    policy().consecutive(None).ratio(None).slow(None)
}

/// A breaker on a clock of its own: every moment is given in milliseconds.
struct Rig {
    breaker: Breaker,
    start: Instant,
}

impl Rig {
    fn new(policy: BreakerPolicy) -> Self {
        let breaker = Breaker::new(policy).expect("a policy of a test is valid");
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

    /// A call that begins and ends at that moment.
    fn record(&self, millis: u64, outcome: Outcome) {
        self.permit(millis).end(outcome, self.at(millis));
    }

    fn records(&self, millis: u64, outcome: Outcome, times: u32) {
        (0..times).for_each(|_| self.record(millis, outcome));
    }

    /// A call that ends at that moment and took so long.
    fn took(&self, millis: u64, outcome: Outcome, took: u64) {
        let start = self.start + ms(millis) - ms(took);
        let permit = self.breaker.try_acquire(start, 0.5).expect("a permit");
        permit.end(outcome, self.at(millis));
    }

    fn shown(&self, millis: u64) -> Snapshot {
        self.breaker.snapshot(self.at(millis))
    }

    fn state(&self, millis: u64) -> State {
        self.shown(millis).state
    }
}
