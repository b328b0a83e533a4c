//! The limits of all routes, and leave to go for one attempt.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    LimitPolicy,
    gate::{Answer, Arrival, Gate, Leave},
    queued::Queued,
    tokens::{Cost, Kind},
};
use crate::{
    Availability,
    context::{Priority, Route},
    keyed_state::{AtRest, KeyedState, Rest},
    sync::lock_std as lock,
    telemetry::{Event, Events},
};

/// The limits of a layer, one set for each route: to look at.
///
/// Clones are the same limits.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    policy: LimitPolicy,
    routes: KeyedState<Limiter>,
    events: OnceLock<Events>,
}

/// What the limits of a route show of themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LimitSnapshot {
    /// How many calls wait.
    pub waiting: usize,
    /// How many attempts are under way, each until its body has ended.
    pub in_flight: u32,
    /// How many may be; `None` where there is no limit.
    pub concurrency: Option<u32>,
    /// How many requests can be sent now, as far as it is known; below zero, how many are owed.
    pub requests: Option<f64>,
    /// How many tokens can be spent now, as far as it is known; below zero, how many are owed.
    pub tokens: Option<f64>,
    /// How many requests come in a minute, as set or as the provider tells; `None` where neither is known.
    pub requests_a_minute: Option<f64>,
    /// How many tokens come in a minute, as set or as the provider tells; `None` where neither is known.
    pub tokens_a_minute: Option<f64>,
    /// How long the route is still left alone, where its provider said so.
    pub closed_for: Option<Duration>,
}

/// The limits of one route.
pub(super) struct Limiter {
    gate: Mutex<Gate>,
    least: Duration,
    /// It stands for several credentials: what one of them is told or refused holds for no other.
    shared: bool,
    /// A limit of tokens is set. One that is only told holds nobody on an estimate.
    estimates: bool,
}

/// Leave for one attempt. Dropped, the attempt has ended.
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    leave: Leave,
}

/// What is said to a call.
pub(super) enum Entry {
    Go(Permit),
    Wait(Queued, Duration),
    Refused(Duration),
}

/// A call that asks to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) priority: Priority,
    pub(super) cost: Cost,
    pub(super) deadline: Option<Instant>,
    pub(super) patient: bool,
}

// === impl Limits ===

impl Limits {
    pub(super) fn new(policy: LimitPolicy) -> Self {
        let (routes, events) = (KeyedState::new(), OnceLock::new());
        Self(Arc::new(Inner { policy, routes, events }))
    }

    /// The limits of a route, which all its operations share.
    pub(super) fn at(&self, route: &Route, now: Instant) -> Arc<Limiter> {
        let policy = &self.0.policy;
        self.0.routes.of(&route.without_operation(), now, |made| match made.is_shared() {
            true => Limiter { shared: true, ..Limiter::new(&policy.of_many(), now) },
            false => Limiter::new(policy.of(made), now),
        })
    }

    fn get(&self, route: &Route) -> Option<Arc<Limiter>> {
        self.0.routes.get(&route.without_operation())
    }

    /// What the limits of each route show, in no order. A route that nobody used for two hours is forgotten, unless calls wait or
    /// it is left alone for a time.
    pub fn list(&self) -> Vec<(Route, LimitSnapshot)> {
        let now = Instant::now();
        let routes = self.0.routes.list();
        routes.into_iter().map(|(route, limiter)| (route, limiter.snapshot(now))).collect()
    }

    /// What the limits of a route show; `None` where nobody has used it.
    pub fn of(&self, route: &Route) -> Option<LimitSnapshot> {
        Some(self.get(route)?.snapshot(Instant::now()))
    }

    /// About how long an interactive call that came now would wait; zero if it would go at once.
    pub fn retry_in(&self, route: &Route) -> Duration {
        let (now, cost) = (Instant::now(), Cost::REQUEST);
        let limiter = self.get(route);
        limiter
            .map_or(Duration::ZERO, |it| lock(&it.gate).expected(Priority::Interactive, cost, now))
    }

    /// Forgets what is known of a route: what its provider asked for and told, what was counted and what an adaptive limit has
    /// found. Calls that wait go on in their order; attempts that are under way keep their places.
    pub fn reset(&self, route: &Route) {
        if let Some(limiter) = self.get(route) {
            let policy = self.0.policy.of(route);
            limiter.decide(|gate| gate.reset(policy, Instant::now(), fastrand::f64()));
        }
    }

    /// What an interactive call may expect that has so much time.
    pub(crate) fn availability(&self, route: &Route, time: Duration, now: Instant) -> Availability {
        let limiter = self.get(route);
        limiter.map_or(Availability::Clear, |it| {
            lock(&it.gate).availability(time.saturating_sub(it.least), now)
        })
    }

    /// Tells that listener too; the first one stays.
    pub(super) fn tell(&self, events: Events) {
        let _ = self.0.events.set(events);
    }

    pub(super) fn emit(&self, event: Event) {
        match self.0.events.get() {
            Some(events) => events.emit(event),
            None => Events::default().emit(event),
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limits").field(&self.0.routes).finish()
    }
}

// === impl Limiter ===

impl Limiter {
    fn new(policy: &LimitPolicy, now: Instant) -> Self {
        let (least, estimates) = (policy.least, policy.tokens.is_some());
        Self { gate: Mutex::new(Gate::new(policy, now)), least, shared: false, estimates }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether it matters what a call will cost.
    pub(super) fn estimates(&self) -> bool {
        self.estimates
    }

    /// Decides under the lock, and wakes after it.
    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut Gate) -> T) -> T {
        let (decision, wake) = {
            let mut gate = lock(&self.gate);
            let decision = decide(&mut gate);
            (decision, gate.take_wake())
        };
        wake.into_iter().for_each(std::task::Waker::wake);
        decision
    }

    /// Asks to go, at `now`.
    pub(super) fn enter(self: &Arc<Self>, asking: Asking, now: Instant, random: f64) -> Entry {
        let Asking { priority, cost, deadline, patient } = asking;
        // An attempt needs some time after its wait.
        let leaves = deadline.map(|deadline| deadline.checked_sub(self.least).unwrap_or(now));
        let arrival = Arrival { now, priority, cost, leaves, patient };
        match self.decide(|gate| gate.arrive(arrival, random)) {
            Answer::Go(leave) => Entry::Go(Permit { limiter: self.clone(), leave }),
            Answer::Refused(retry_in) => Entry::Refused(retry_in),
            Answer::Wait(place, expected) => {
                let limiter = self.clone();
                Entry::Wait(Queued::new(limiter, place), expected)
            }
        }
    }

    fn snapshot(&self, now: Instant) -> LimitSnapshot {
        let gate = lock(&self.gate);
        let [requests, tokens] = [Kind::Requests, Kind::Tokens].map(|kind| gate.meters().of(kind));
        LimitSnapshot {
            waiting: gate.waiting(),
            in_flight: gate.slots().in_flight(),
            concurrency: gate.slots().limit(),
            requests: requests.left(now),
            tokens: tokens.left(now),
            requests_a_minute: requests.a_minute(),
            tokens_a_minute: tokens.a_minute(),
            closed_for: gate.closed_for(now),
        }
    }
}

impl AtRest for Limiter {
    fn rest(&self, now: Instant) -> Rest {
        lock(&self.gate).rest(now)
    }
}

// === impl Permit ===

impl Permit {
    pub(super) fn new(limiter: Arc<Limiter>, leave: Leave) -> Self {
        Self { limiter, leave }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.limiter.is_shared()
    }

    pub(super) fn decide<T>(&self, decide: impl FnOnce(&mut Gate, &Leave) -> T) -> T {
        self.limiter.decide(|gate| decide(gate, &self.leave))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.decide(|gate, leave| gate.ended(leave, Instant::now(), fastrand::f64()));
    }
}
