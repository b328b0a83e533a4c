//! What the routes of one model at one provider, which differ by their credential, show of it together.
//!
//! A breaker opens by the calls of its own route. Where each call brings another credential no route has enough of them, and
//! an outage would be met by each anew. So the routes that have had no answer lately tell their first failure to what stands
//! over them all; when enough *different* ones have failed and none was answered in between, it opens for all that have had no
//! answer since. A route that is being answered is never refused by it, so the trouble of one credential is no other's.
//!
//! An overflow route, one that the table has no room for, has no state of its own: the coarse breaker is all that is known of it.

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

/// The routes of one model at one provider.
pub(crate) struct CoarseBreaker {
    breaker: CircuitBreaker,
    epoch: Instant,
    /// Some have failed, and none was answered since.
    troubled: AtomicBool,
    /// Since when, as [`Herd::moment`] has it.
    pub(super) since: AtomicU64,
    /// Goes up with each trouble: a route tells one failure in each.
    pub(super) trouble: AtomicU64,
    /// The overflow routes that told their failure in it, as hashes.
    pub(super) overflow: Mutex<HashSet<u64>>,
}

/// So many routes that fail with none answered open, where there is no past.
const ROUTES: u32 = 8;

/// How many overflow routes are told apart in one trouble. At the limit all are removed, and each may report a failure again.
pub(super) const OVERFLOW: usize = 64;

// === impl CoarseBreaker ===

impl CoarseBreaker {
    /// What it opens by, made from the policy of the routes.
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

    /// Whether it can be forgotten: nothing is wrong.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.troubled.load(Ordering::Relaxed)
    }

    /// Whether it refuses some.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        !self.is_at_rest() && !self.is_closed(now)
    }

    /// What a call may expect of a route that it knows nothing else of.
    pub(super) fn availability(&self, now: Instant) -> Availability {
        if self.is_at_rest() { Availability::Clear } else { self.breaker.availability(now) }
    }

    /// Closes it, and forgets all it counted.
    pub(super) fn reset(&self) {
        self.breaker.reset();
        self.end_trouble();
    }

    pub(super) fn is_closed(&self, now: Instant) -> bool {
        self.breaker.snapshot(now).state == CircuitState::Closed
    }

    /// Milliseconds since it was made, from 1.
    pub(super) fn moment(&self, now: Instant) -> u64 {
        let millis = now.saturating_duration_since(self.epoch).as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1
    }

    pub(super) fn fail(&self, outcome: Outcome, now: Instant) {
        if !self.troubled.swap(true, Ordering::Relaxed) {
            self.since.store(self.moment(now), Ordering::Relaxed);
        }
        // Only while it is closed: later its own permits report.
        if self.is_closed(now) {
            self.count(outcome, now);
        }
    }

    /// One was answered: the trouble is over, unless it has opened. Then its own probes find that out.
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

    /// Whether an overflow route has told nothing in this trouble.
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
