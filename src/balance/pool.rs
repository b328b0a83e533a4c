//! The equal targets of a rung, and what is known of each.

use std::{fmt, sync::Mutex, time::Duration};

use tokio::time::Instant;

use super::{
    BalancePolicy,
    load::{Load, Moment, Ride, Standing},
    pick::{Copies, Round, Wish, pick},
};
use crate::{
    Request,
    classify::Outcome,
    context::{Call, Route, Sticky, hash, later},
    ladder::Target,
    sync::lock_std as lock,
};

/// The equal targets of a rung, and what is known of each. Shared by all calls.
pub(crate) struct Pool {
    targets: Vec<Target>,
    /// What calls that stick know them by: the same in every process that has the same targets.
    places: Vec<u64>,
    policy: BalancePolicy,
    made: Instant,
    state: Mutex<State>,
}

struct State {
    loads: Vec<Load>,
    picks: u64,
    /// The time to the first event over all targets, in seconds.
    usual: Option<f64>,
    random: fastrand::Rng,
}

/// The target of an attempt: its place in the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat(pub(super) usize);

/// Until an answer has come, a target is taken to answer within a second, as the faster models do.
const USUAL: f64 = 1.0;
/// An answer counts one part of so many in what is usual.
const PARTS: f64 = 16.0;

// === impl Pool ===

impl Pool {
    /// A pool of targets that were checked: at least one, at most 64.
    pub(crate) fn new(targets: Vec<Target>, policy: BalancePolicy) -> Self {
        let names: Vec<_> = targets.iter().map(Target::place).collect();
        let place = |at: usize| {
            // Those that differ by their keys alone are told apart by their order.
            let twins = names[..at].iter().filter(|name| **name == names[at]).count();
            hash(&(&names[at], twins))
        };
        let random = policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let loads = vec![Load::default(); targets.len()];
        let state = State { loads, picks: 0, usual: None, random };
        Self {
            places: (0..targets.len()).map(place).collect(),
            targets,
            policy,
            made: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// The request for one of the targets.
    pub(crate) fn place(&self, mut request: Request, round: &mut Round) -> Request {
        let ask = Call::ask(&mut request);
        let sticky = request.extensions().get::<Sticky>().copied();
        let Call { once, copies, .. } = Call::of(&mut request).clone();
        let wish = Wish { sticky: sticky.map(|sticky| (sticky, &self.places[..])), once };
        let at = self.pick(round, wish, copies.as_ref());
        let mut request = self.targets[at].apply(request, &ask);
        let route = route(&mut request);
        let call = Call::of(&mut request);
        (call.seat, call.route) = (Some(Seat(at)), Some(route));
        request
    }

    /// The routes that a request may take, and which of them are left alone by now. Nothing is picked.
    pub(crate) fn routes(&self, request: &Request) -> Vec<(Route, bool)> {
        let mut request = request.clone();
        let ask = Call::ask(&mut request);
        let rests: Vec<_> = self.decide(Instant::now(), |state, m| {
            state.loads.iter().map(|load| load.standing(m) == Standing::Out).collect()
        });
        let routes =
            self.targets.iter().map(|target| route(&mut target.apply(request.clone(), &ask)));
        routes.zip(rests).collect()
    }

    /// Whether one is left that may do better than those that were tried.
    pub(crate) fn has_another(&self, round: Round) -> bool {
        self.decide(Instant::now(), |state, m| {
            pick(&state.loads, round, Wish::default(), (m, [0.0; 2])).is_some()
        })
    }

    /// Until when our own breakers or limits refuse all of them, if they do.
    pub(crate) fn closed(&self, now: Instant) -> Option<Instant> {
        let at = self.decide(now, |state, m| {
            let soonest = state.loads.iter().map(Load::closed).fold(f64::INFINITY, f64::min);
            (soonest > m.at).then_some(soonest - m.at)
        });
        at.map(|secs| later(now, Duration::from_secs_f64(secs)))
    }

    fn pick(&self, round: &mut Round, wish: Wish<'_>, copies: Option<&Copies>) -> usize {
        self.decide(Instant::now(), |state, m| {
            let random = [state.random.f64(), state.random.f64()];
            let fresh = Round::default();
            let beside = copies.map(|copies| round.beside(copies));
            let at = beside
                .and_then(|beside| pick(&state.loads, beside, wish, (m, random)))
                .or_else(|| pick(&state.loads, *round, wish, (m, random)))
                // Another call has changed its standing since it was asked for.
                .or_else(|| pick(&state.loads, fresh, wish, (m, random)))
                .unwrap_or_default();
            state.picks = state.picks.saturating_add(1);
            state.loads[at].try_again(m);
            round.tried(at);
            if let Some(copies) = copies {
                copies.asked(at);
            }
            at
        })
    }

    pub(super) fn begin(&self, seat: Seat, now: Instant) -> Ride {
        self.decide(now, |state, m| state.loads[seat.0].begin(m))
    }

    /// What an attempt came to. Tells for how long its target is out, where that is news.
    pub(super) fn end(&self, seat: Seat, ride: &mut Ride, outcome: Outcome) -> Option<Duration> {
        self.decide(Instant::now(), |state, m| {
            if outcome.is_success() && !ride.answered {
                state.learn(m.at - ride.began);
            }
            state.loads[seat.0].end(outcome, ride, m)
        })
    }

    /// The breaker of a target lets nothing through before that.
    pub(super) fn close(&self, seat: Seat, until: Instant) {
        let now = Instant::now();
        let lasts = until.saturating_duration_since(now);
        self.decide(now, |state, m| state.loads[seat.0].close(lasts, m));
    }

    /// The first event of an answer came `first`, and the rest follows.
    pub(super) fn answer(&self, seat: Seat, ride: &mut Ride, first: Instant) {
        self.decide(first, |state, m| {
            let took = (m.at - ride.began).max(0.0);
            state.learn(took);
            state.loads[seat.0].answer(ride, took, m);
        });
    }

    /// Decides under the lock.
    fn decide<T>(&self, now: Instant, decide: impl FnOnce(&mut State, &Moment<'_>) -> T) -> T {
        let mut state = lock(&self.state);
        let m = Moment {
            policy: &self.policy,
            at: now.saturating_duration_since(self.made).as_secs_f64(),
            picks: state.picks,
            usual: state.usual.unwrap_or(USUAL),
        };
        decide(&mut state, &m)
    }
}

/// The route of a request that was rewritten for a target, with what the rung's edits change of it.
fn route(request: &mut Request) -> Route {
    let route = Call::route(request);
    match Call::of(request).facet.as_deref() {
        Some(facet) => route.with_facet(facet),
        None => route,
    }
}

// === impl State ===

impl State {
    /// An answer's first event came after so many seconds.
    fn learn(&mut self, secs: f64) {
        let usual = self.usual.unwrap_or(secs);
        self.usual = Some(usual + (secs - usual) / PARTS);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("targets", &self.targets).finish_non_exhaustive()
    }
}
