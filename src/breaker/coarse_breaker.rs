//! The shared breaker of the routes of one model at one provider that differ only by their credential.
//!
//! A breaker opens on the calls of its own route. Where each call brings another credential, no route has enough calls, and each
//! credential would run into an outage on its own. So each route without a recent answer reports its first failure to the coarse
//! breaker. When enough *different* routes have failed and none was answered in between, the coarse breaker opens for all routes
//! without an answer since. It never refuses a route that is being answered, so the trouble of one credential does not affect
//! another.
//!
//! An overflow route, one that the table has no room for, has no state of its own: it only has the coarse breaker.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::time::Instant;

use crate::{
    Availability,
    breaker::{
        BreakerPolicy, CircuitBreaker, CircuitState, decision_input::CallerInfo, policy::Rule,
    },
    outcome::Outcome,
    sync::lock_std as lock,
};

/// The coarse breaker of the routes of one model at one provider.
pub(crate) struct CoarseBreaker {
    breaker: CircuitBreaker,
    epoch: Instant,
    /// Whether a route has failed and none was answered since.
    troubled: AtomicBool,
    /// When the trouble began, in the unit of [`CoarseBreaker::moment`].
    pub(super) since: AtomicU64,
    /// The number of the current trouble: a route reports one failure in each.
    pub(super) trouble: AtomicU64,
    /// The overflow routes that reported a failure in this trouble, as hashes.
    pub(super) overflow: Mutex<HashSet<u64>>,
}

/// The number of failing routes, with none answered, that opens a coarse breaker without a past.
const ROUTES: u32 = 8;

/// How many overflow routes are tracked in one trouble. At the limit all are removed, and each may report a failure again.
pub(super) const OVERFLOW: usize = 64;

// === impl CoarseBreaker ===

impl CoarseBreaker {
    /// The policy of a coarse breaker, derived from the policy of the routes.
    pub(super) fn policy(of: &BreakerPolicy) -> BreakerPolicy {
        BreakerPolicy {
            consecutive_failures: Some(Rule::Improbable(ROUTES)),
            failure_ratio: None,
            slow_ratio: None,
            unauthorized: None,
            ..of.clone()
        }
    }

    pub(super) fn new(breaker: CircuitBreaker, now: Instant) -> Self {
        Self {
            breaker,
            epoch: now,
            troubled: AtomicBool::new(false),
            since: AtomicU64::new(0),
            trouble: AtomicU64::new(1),
            overflow: Mutex::default(),
        }
    }

    pub(super) fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    /// Whether the coarse breaker can be forgotten: no route is in trouble.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.troubled.load(Ordering::Relaxed)
    }

    /// Whether it refuses some routes.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        !self.is_at_rest() && !self.is_closed(now)
    }

    /// The availability of a route that has no state of its own.
    pub(super) fn availability(&self, now: Instant) -> Availability {
        if self.is_at_rest() { Availability::Clear } else { self.breaker.availability(now) }
    }

    /// Closes it and clears its counts.
    pub(super) fn reset(&self) {
        self.breaker.reset();
        self.end_trouble();
    }

    pub(super) fn is_closed(&self, now: Instant) -> bool {
        self.breaker.snapshot(now).state == CircuitState::Closed
    }

    /// Milliseconds since it was created, starting at 1.
    pub(super) fn moment(&self, now: Instant) -> u64 {
        let millis = now.saturating_duration_since(self.epoch).as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1
    }

    pub(super) fn fail(&self, outcome: Outcome, now: Instant) {
        if !self.troubled.swap(true, Ordering::Relaxed) {
            self.since.store(self.moment(now), Ordering::Relaxed);
        }
        // Only while it is closed: after that its own permits report.
        if self.is_closed(now) {
            self.count(outcome, now);
        }
    }

    /// Records that a route was answered: the trouble is over, unless the breaker has opened. Then its own probes decide.
    pub(super) fn succeed(&self, now: Instant) {
        if !self.is_at_rest() && self.is_closed(now) {
            self.end_trouble();
            self.count(Outcome::Success, now);
        }
    }

    pub(super) fn end_trouble(&self) {
        self.troubled.store(false, Ordering::Relaxed);
        self.trouble.fetch_add(1, Ordering::Relaxed);
        lock(&self.overflow).clear();
    }

    /// Whether an overflow route has reported no failure in this trouble.
    pub(super) fn is_first_of(&self, route: u64) -> bool {
        let mut overflow = lock(&self.overflow);
        if overflow.len() >= OVERFLOW {
            overflow.clear();
        }
        overflow.insert(route)
    }

    fn count(&self, outcome: Outcome, now: Instant) {
        if let Ok(permit) = self.breaker.ask(now, fastrand::f64(), CallerInfo::default()) {
            permit.record(outcome, now);
        }
    }
}
