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
    context::{Priority, Route},
    route_state::{AtRest, InUse, Replaceable, Rest},
    sync::lock_std as lock,
};

/// The limits of one route.
pub(super) struct RouteLimiter {
    guarded: Mutex<Guarded>,
    /// The route: one that stands for several credentials if they share the limiter.
    route: Route,
}

/// What the lock of a route guards.
struct Guarded {
    state: RouteLimiterState,
    policy: InUse<LimitPolicy>,
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
    pub(super) fn new(policy: &Replaceable<LimitPolicy>, route: &Route, now: Instant) -> Self {
        let policy = policy.in_use();
        let state = RouteLimiterState::new(&policy.current().at(route), now);
        Self { guarded: Mutex::new(Guarded { state, policy }), route: route.clone() }
    }

    /// Whether the route stands for several credentials: a report or a rate limit for one of them does not apply to the others.
    pub(super) fn is_shared(&self) -> bool {
        self.route.is_shared()
    }

    /// Whether the estimated cost of a call matters: a token limit is configured. One that is only reported holds no call back on
    /// an estimate.
    pub(super) fn needs_estimates(&self) -> bool {
        let policy = lock(&self.guarded).policy.current().clone();
        !self.is_shared() && policy.of(&self.route).tokens.is_some()
    }

    /// The time that has to be left for an attempt after its wait.
    pub(super) fn min_attempt_time(&self) -> Duration {
        let policy = lock(&self.guarded).policy.current().clone();
        policy.at(&self.route).min_attempt_time
    }

    /// Runs `decide` under the lock, and wakes waiting calls after releasing it.
    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut RouteLimiterState) -> T) -> T {
        let (decision, wakers) = {
            let mut guarded = lock(&self.guarded);
            let Guarded { state, policy } = &mut *guarded;
            if let Some(before) = policy.refresh() {
                let (before, after) = (before.at(&self.route), policy.current().at(&self.route));
                if before != after {
                    state.adopt(&before, &after, DecisionInput::draw());
                }
            }
            let decision = decide(state);
            (decision, state.take_wakers())
        };
        wakers.into_iter().for_each(std::task::Waker::wake);
        decision
    }

    /// The approximate wait of an interactive call that arrives now.
    pub(super) fn expected_wait(&self, now: Instant) -> Duration {
        lock(&self.guarded).state.expected_wait(Priority::Interactive, Cost::REQUEST, now)
    }

    /// The availability for an interactive call that has `time` left.
    pub(super) fn availability(&self, time: Duration, now: Instant) -> Availability {
        let time = time.saturating_sub(self.min_attempt_time());
        lock(&self.guarded).state.availability(time, now)
    }

    pub(super) fn snapshot(&self, now: Instant) -> LimitSnapshot {
        let state = &lock(&self.guarded).state;
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
        lock(&self.guarded).state.rest(now)
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
