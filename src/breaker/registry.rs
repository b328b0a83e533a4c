//! The breakers of all routes, and the handle to them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::Instant,
};

use crate::{
    Outlook,
    breaker::{
        Breaker, BreakerPolicy, Cause, Snapshot, State,
        herd::{Herd, Member},
        state::Step,
    },
    context::Route,
    routes::PerRoute,
    sync::lock_std,
    telemetry::{Event, Events},
};

/// The breakers of a layer, one for each route: to look at, to watch and to set by hand.
///
/// Clones are the same breakers.
#[derive(Clone)]
pub struct Breakers(Arc<Inner>);

struct Inner {
    policy: Arc<BreakerPolicy>,
    /// For routes without a credential: the wrong one of a caller, where we do not see it, is not to close them to others.
    nameless: Arc<BreakerPolicy>,
    routes: PerRoute<Breaker>,
    /// Breakers that were forced: they are not forgotten when idle.
    forced: Mutex<HashMap<Route, Breaker>>,
    hub: Arc<Hub>,
    /// What stands over the routes of one model at one provider, by both.
    herds: Mutex<HashMap<Route, Arc<Herd>>>,
    herd: Arc<BreakerPolicy>,
}

/// Where changes are told.
struct Hub {
    events: OnceLock<Events>,
    changes: broadcast::Sender<Change>,
}

/// Who is told of the changes of one breaker.
pub(crate) struct Told {
    route: Route,
    hub: Arc<Hub>,
}

/// Stands for all credentials, or all models, of a provider.
const ALL: &str = "*";

/// One change of one breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Its route.
    pub route: Route,
    /// The how-manieth change of this breaker, from 1. Two changes at one moment may arrive out of order: the higher number is
    /// the later one.
    pub number: u64,
    /// The state it left.
    pub from: State,
    /// The state it is in.
    pub to: State,
    /// Why.
    pub why: Cause,
    /// How long it stays open, where it opened.
    pub lasts: Option<Duration>,
}

/// The changes of all breakers of a layer, from [`Breakers::watch`] on.
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

// === impl Breakers ===

impl Breakers {
    /// How many changes are kept for one who watches and is slow to read; the oldest are dropped.
    pub const KEPT: usize = 256;

    /// Over how many models the routes of different credentials are seen together; past it, by the provider alone.
    const HERDS: usize = 1024;

    pub(crate) fn new(policy: BreakerPolicy) -> Self {
        let hub = Hub { events: OnceLock::new(), changes: broadcast::Sender::new(Self::KEPT) };
        let nameless = policy.clone().unauthorized(None);
        Self(Arc::new(Inner {
            herds: Mutex::default(),
            herd: Herd::policy(&policy).into(),
            policy: policy.into(),
            nameless: nameless.into(),
            routes: PerRoute::new(),
            forced: Mutex::default(),
            hub: hub.into(),
        }))
    }

    /// The breaker of a route, made if there is none.
    pub fn of(&self, route: &Route) -> Breaker {
        self.at(route, Instant::now())
    }

    pub(crate) fn at(&self, route: &Route, now: Instant) -> Breaker {
        let made = self.0.routes.of(route, now, || match lock_std(&self.0.forced).get(route) {
            Some(forced) => forced.clone(),
            None => self.make(route, now),
        });
        Breaker::clone(&made)
    }

    /// What the breaker of each route shows, in no order. Routes that nobody used for two hours are forgotten.
    pub fn list(&self) -> Vec<(Route, Snapshot)> {
        let now = Instant::now();
        let mut all: HashMap<_, _> = lock_std(&self.0.forced).clone();
        let kept = self.0.routes.list();
        all.extend(kept.into_iter().map(|(route, breaker)| (route, Breaker::clone(&breaker))));
        let herds = lock_std(&self.0.herds);
        let open = herds.iter().filter(|(_, herd)| herd.is_open(now));
        all.extend(open.map(|(route, herd)| (route.clone(), herd.breaker().clone())));
        drop(herds);
        all.into_iter().map(|(route, breaker)| (route, breaker.snapshot(now))).collect()
    }

    /// What a call of a route may expect. No breaker is made for it.
    pub(crate) fn outlook(&self, route: &Route, now: Instant) -> Outlook {
        let kept = self.0.routes.get(route).map(|breaker| Breaker::clone(&breaker));
        let breaker = kept.or_else(|| lock_std(&self.0.forced).get(route).cloned());
        breaker.map_or(Outlook::Clear, |breaker| breaker.outlook(now))
    }

    /// The changes of all breakers from now on.
    pub fn watch(&self) -> Changes {
        Changes(self.0.hub.changes.subscribe())
    }

    /// Refuses all calls of a route until [`reset`](Self::reset).
    pub fn force_open(&self, route: &Route) {
        self.force(route).force_open();
    }

    /// Lets all calls of a route through and counts none until [`reset`](Self::reset).
    pub fn force_closed(&self, route: &Route) {
        self.force(route).force_closed();
    }

    /// Closes the breaker of a route, and forgets all it counted and how often it opened.
    pub fn reset(&self, route: &Route) {
        let forced = lock_std(&self.0.forced).remove(route);
        if let Some(breaker) =
            forced.or_else(|| self.0.routes.get(route).map(|b| Breaker::clone(&b)))
        {
            breaker.reset();
        }
    }

    /// Tells that listener too; the first one stays.
    pub(crate) fn tell(&self, events: Events) {
        let _ = self.0.hub.events.set(events);
    }

    pub(crate) fn emit(&self, event: Event) {
        self.0.hub.emit(event);
    }

    fn force(&self, route: &Route) -> Breaker {
        let breaker = self.of(route);
        let mut forced = lock_std(&self.0.forced);
        if forced.len() < PerRoute::<Breaker>::MOST {
            forced.insert(route.clone(), breaker.clone());
        }
        breaker
    }

    fn make(&self, route: &Route, now: Instant) -> Breaker {
        let told = Told { route: route.clone(), hub: self.0.hub.clone() };
        let member = self.herd_of(route, now).map(Member::new);
        let policy = if route.credential() == "-" { &self.0.nameless } else { &self.0.policy };
        Breaker::with(policy.clone(), now, Some(told), member)
    }

    /// What stands over a route: by its model as long as there are not too many, else by its provider.
    fn herd_of(&self, route: &Route, now: Instant) -> Option<Arc<Herd>> {
        let mut herds = lock_std(&self.0.herds);
        let mut over = Route::new(route.provider(), route.model(), ALL);
        if herds.len() >= Self::HERDS && !herds.contains_key(&over) {
            herds.retain(|_, herd| Arc::strong_count(herd) > 1 || !herd.is_at_rest());
            if herds.len() >= Self::HERDS {
                over = Route::new(route.provider(), ALL, ALL);
            }
        }
        if herds.len() >= 2 * Self::HERDS && !herds.contains_key(&over) {
            return None;
        }
        let herd = herds.entry(over.clone()).or_insert_with(|| {
            let told = Told { route: over, hub: self.0.hub.clone() };
            Arc::new(Herd::new(Breaker::with(self.0.herd.clone(), now, Some(told), None), now))
        });
        Some(herd.clone())
    }
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Breakers").field(&self.0.routes).finish()
    }
}

// === impl Hub ===

impl Hub {
    fn emit(&self, event: Event) {
        match self.events.get() {
            Some(events) => events.emit(event),
            None => Events::default().emit(event),
        }
    }
}

// === impl Told ===

impl Told {
    /// Tells of a change. Never called under a lock.
    pub(crate) fn tell(&self, step: Step) {
        let Step { number, from, to, why, lasts } = step;
        let route = self.route.clone();
        // Nobody need be watching.
        let _ =
            self.hub.changes.send(Change { route: route.clone(), number, from, to, why, lasts });
        let (from, to, why) = (from.name(), to.name(), why.name());
        self.hub.emit(Event::BreakerChanged { route, from, to, why, lasts });
    }
}

// === impl Changes ===

impl Changes {
    /// The next change; `None` when the layer and all its breakers are gone.
    ///
    /// Whoever falls more than [`Breakers::KEPT`] behind misses the oldest, and goes on with those that are kept.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            match self.0.recv().await {
                Ok(change) => return Some(change),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
