//! The limits of one route behind their lock, and the permit of one attempt.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    cost::{Cost, CostDimension},
    policy::LimitPolicy,
    snapshot::LimitSnapshot,
    state::{DecisionInput, Grant, RouteLimiterState},
};
use crate::{
    Availability,
    context::Priority,
    route_state::{AtRest, Rest},
    sync::lock_std as lock,
};

/// The limits of one route.
pub(super) struct RouteLimiter {
    state: Mutex<RouteLimiterState>,
    /// The time that has to be left for an attempt after its wait.
    min_attempt_time: Duration,
    /// Whether the route stands for several credentials: a report or a rate limit for one of them does not apply to the others.
    is_shared: bool,
    /// Whether a token limit is configured. One that is only reported holds no call back on an estimate.
    needs_estimates: bool,
}

/// The permit of one attempt. Dropping it ends the attempt.
pub(super) struct Permit {
    limiter: Arc<RouteLimiter>,
    grant: Grant,
}

// === impl DecisionInput ===

impl DecisionInput {
    /// Reads the clock and draws a random number.
    pub(super) fn draw() -> Self {
        Self { now: Instant::now(), random: fastrand::f64() }
    }
}

// === impl RouteLimiter ===

impl RouteLimiter {
    pub(super) fn new(policy: &LimitPolicy, now: Instant) -> Self {
        Self {
            state: Mutex::new(RouteLimiterState::new(policy, now)),
            min_attempt_time: policy.min_attempt_time,
            is_shared: false,
            needs_estimates: policy.tokens.is_some(),
        }
    }

    /// Creates the limiter for calls of many credentials without room in the table. A limit applies to one credential, so this
    /// limiter has none.
    pub(super) fn shared(policy: &LimitPolicy, now: Instant) -> Self {
        Self { is_shared: true, ..Self::new(&policy.without_limits(), now) }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether the estimated cost of a call matters.
    pub(super) fn needs_estimates(&self) -> bool {
        self.needs_estimates
    }

    pub(super) fn min_attempt_time(&self) -> Duration {
        self.min_attempt_time
    }

    /// Runs `decide` under the lock, and wakes waiting calls after releasing it.
    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut RouteLimiterState) -> T) -> T {
        let (decision, wakers) = {
            let mut state = lock(&self.state);
            let decision = decide(&mut state);
            (decision, state.take_wakers())
        };
        wakers.into_iter().for_each(std::task::Waker::wake);
        decision
    }

    /// The approximate wait of an interactive call that arrives now.
    pub(super) fn expected_wait(&self, now: Instant) -> Duration {
        lock(&self.state).expected_wait(Priority::Interactive, Cost::REQUEST, now)
    }

    /// The availability for an interactive call that has `time` left.
    pub(super) fn availability(&self, time: Duration, now: Instant) -> Availability {
        lock(&self.state).availability(time.saturating_sub(self.min_attempt_time), now)
    }

    pub(super) fn snapshot(&self, now: Instant) -> LimitSnapshot {
        let state = lock(&self.state);
        let requests = state.quotas().of(CostDimension::Requests);
        let tokens = state.quotas().of(CostDimension::Tokens);
        LimitSnapshot {
            waiting: state.waiting(),
            in_flight: state.concurrency().in_flight(),
            concurrency: state.concurrency().limit(),
            requests: requests.remaining(now),
            tokens: tokens.remaining(now),
            requests_a_minute: requests.per_minute(),
            tokens_a_minute: tokens.per_minute(),
            closed_for: state.closed_for(now),
        }
    }
}

impl AtRest for RouteLimiter {
    fn rest(&self, now: Instant) -> Rest {
        lock(&self.state).rest(now)
    }
}

// === impl Permit ===

impl Permit {
    pub(super) fn new(limiter: Arc<RouteLimiter>, grant: Grant) -> Self {
        Self { limiter, grant }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.limiter.is_shared()
    }

    /// Runs `decide` under the lock of the route.
    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut RouteLimiterState, &Grant) -> T) -> T {
        self.limiter.decide(|state| decide(state, &self.grant))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.decide(|state, grant| state.on_body_end(grant, DecisionInput::draw()));
    }
}
