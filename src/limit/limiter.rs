//! The limits of all routes, and leave to go for one attempt.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    LimitPolicy,
    gate::{Answer, Arrival, Fate, Gate, Leave, Turn},
    line::Place,
    tokens::{Cost, Kind},
};
use crate::{
    Outlook,
    context::{Priority, Route, later},
    routes::{AtRest, PerRoute, Rest},
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
    routes: PerRoute<Limiter>,
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
}

/// Leave for one attempt. Dropped, the attempt has ended.
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    leave: Leave,
}

/// A call that waits for its turn: ready with a permit, or with when it is worth coming back. Dropped, it has left.
pub(super) struct Queued {
    limiter: Arc<Limiter>,
    place: Place,
    over: bool,
    sleep: Option<Pin<Box<Sleep>>>,
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
        let (routes, events) = (PerRoute::new(), OnceLock::new());
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
        let (now, cost) = (Instant::now(), Cost { requests: 1, input: 0, output: 0 });
        let limiter = self.get(route);
        limiter
            .map_or(Duration::ZERO, |it| lock(&it.gate).expected(Priority::Interactive, cost, now))
    }

    /// What an interactive call may expect that has so much time.
    pub(crate) fn outlook(&self, route: &Route, time: Duration, now: Instant) -> Outlook {
        let limiter = self.get(route);
        limiter
            .map_or(Outlook::Clear, |it| lock(&it.gate).outlook(time.saturating_sub(it.least), now))
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
        Self { gate: Mutex::new(Gate::new(policy, now)), least: policy.least, shared: false }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.shared
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
                Entry::Wait(Queued { limiter, place, over: false, sleep: None }, expected)
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

// === impl Queued ===

impl Future for Queued {
    type Output = Result<Permit, Duration>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let at = (Instant::now(), fastrand::f64());
            let place = self.place;
            let until = match self.limiter.decide(|gate| gate.turn(place, at, cx.waker())) {
                Turn::Over(fate) => {
                    self.over = true;
                    return Poll::Ready(match fate {
                        Fate::Go(leave) => Ok(Permit { limiter: self.limiter.clone(), leave }),
                        Fate::Refused(retry_in) => Err(retry_in),
                    });
                }
                Turn::Not(until) => until.unwrap_or_else(|| later(at.0, Duration::MAX)),
            };
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if sleep.deadline() != until {
                sleep.as_mut().reset(until);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // The time has come, or has passed while it was asked: each turn of the loop is later than the last.
        }
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        if !self.over {
            let place = self.place;
            self.limiter.decide(|gate| gate.give_up(place, Instant::now(), fastrand::f64()));
        }
    }
}
