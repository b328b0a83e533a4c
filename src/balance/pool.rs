//! The equal targets of a rung, and what is known of each.

use std::{collections::HashMap, fmt, sync::Mutex, time::Duration};

use tokio::time::Instant;

use super::{
    BalancePolicy,
    load::{Load, Moment, Ride, Standing},
    pick::{Copies, Round, Wish, pick},
};
use crate::{
    Request,
    classify::{Outcome, Rejection},
    context::{Call, Route, Sticky, hash, later},
    dialect::Ask,
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
    /// By operation: a target that cannot make vectors may chat. Operations are bounded in number.
    states: Mutex<HashMap<&'static str, State>>,
}

/// What calls of one operation have found.
struct State {
    loads: Vec<Load>,
    picks: u64,
    /// The time to the first event over all targets, in seconds.
    usual: Option<f64>,
    random: fastrand::Rng,
}

/// The target of an attempt: its place in the pool, and the operation that is asked of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    at: usize,
    part: &'static str,
}

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
        Self {
            places: (0..targets.len()).map(place).collect(),
            targets,
            policy,
            made: Instant::now(),
            states: Mutex::default(),
        }
    }

    /// The request for one of the targets.
    pub(crate) fn place(&self, mut request: Request, round: &mut Round) -> Request {
        let ask = Call::ask(&mut request);
        let sticky = request.extensions().get::<Sticky>().copied();
        let Call { once, copies, .. } = Call::of(&mut request).clone();
        round.of_call(ask.effects.part(), self.barred(&ask, sticky));
        let wish = Wish { sticky: sticky.map(|sticky| (sticky, &self.places[..])), once };
        let at = self.pick(round, wish, copies.as_ref());
        let mut request = self.targets[at].apply(request, &ask);
        let route = route(&mut request);
        let call = Call::of(&mut request);
        (call.seat, call.route) = (Some(Seat { at, part: round.part() }), Some(route));
        request
    }

    /// The bits of the targets that cannot answer a call: files are at one account, vectors are those of one model. The
    /// account is that of the first target, or of the one that the call sticks to.
    fn barred(&self, ask: &Ask, sticky: Option<Sticky>) -> u64 {
        let all = || 0..self.targets.len();
        let bits = |keeps: &dyn Fn(&Target) -> bool| {
            let others = all().filter(|at| !keeps(&self.targets[*at]));
            others.fold(0, |bits, at| bits | 1 << at)
        };
        let effects = ask.effects;
        if effects.is_of_an_account() {
            let home = sticky.and_then(|it| all().max_by_key(|at| it.score(self.places[*at])));
            let home = &self.targets[home.unwrap_or_default()];
            return bits(&|target| target.is_account_of(home));
        }
        match effects.is_a_vector() {
            true => bits(&|target| target.is_model_of(&self.targets[0])),
            false => 0,
        }
    }

    /// The routes that a request may take, and which of them are left alone by now. Nothing is picked.
    pub(crate) fn routes(&self, request: &Request) -> Vec<(Route, bool)> {
        let mut request = request.clone();
        let ask = Call::ask(&mut request);
        let barred = self.barred(&ask, request.extensions().get::<Sticky>().copied());
        let rests: Vec<_> = self.decide((ask.effects.part(), Instant::now()), |state, m| {
            state.loads.iter().map(|load| load.standing(m) == Standing::Out).collect()
        });
        let routes =
            self.targets.iter().map(|target| route(&mut target.apply(request.clone(), &ask)));
        let may_go = (0..self.targets.len()).map(|at| barred & 1 << at == 0);
        let all = routes.zip(rests).zip(may_go);
        all.filter_map(|(route, may_go)| may_go.then_some(route)).collect()
    }

    /// Whether one is left that may do better than those that were tried.
    pub(crate) fn has_another(&self, round: Round) -> bool {
        self.decide((round.part(), Instant::now()), |state, m| {
            pick(&state.loads, round, Wish::default(), (m, [0.0; 2])).is_some()
        })
    }

    /// Until when our own breakers or limits refuse all of them, if they do.
    pub(crate) fn closed(&self, round: Round, now: Instant) -> Option<Instant> {
        let at = self.decide((round.part(), now), |state, m| {
            let open = state.loads.iter().enumerate().filter(|(at, _)| !round.is_barred(*at));
            let soonest = open.map(|(_, load)| load.closed()).fold(f64::INFINITY, f64::min);
            (soonest > m.at).then_some(soonest - m.at)
        });
        at.map(|secs| later(now, Duration::from_secs_f64(secs)))
    }

    fn pick(&self, round: &mut Round, wish: Wish<'_>, copies: Option<&Copies>) -> usize {
        self.decide((round.part(), Instant::now()), |state, m| {
            let random = [state.random.f64(), state.random.f64()];
            let fresh = round.anew();
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
        self.decide((seat.part, now), |state, m| state.loads[seat.at].begin(m))
    }

    /// What an attempt came to. Tells for how long its target is out, where that is news.
    pub(super) fn end(&self, seat: Seat, ride: &mut Ride, outcome: Outcome) -> Option<Duration> {
        self.decide((seat.part, Instant::now()), |state, m| {
            if outcome.is_success() && !ride.answered {
                state.learn(m.at - ride.began);
            }
            state.loads[seat.at].end(blamed(outcome, &self.targets[seat.at]), ride, m)
        })
    }

    /// The breaker of a target lets nothing through before that.
    pub(super) fn close(&self, seat: Seat, until: Instant) {
        let now = Instant::now();
        let lasts = until.saturating_duration_since(now);
        self.decide((seat.part, now), |state, m| state.loads[seat.at].close(lasts, m));
    }

    /// The first event of an answer came `first`, and the rest follows.
    pub(super) fn answer(&self, seat: Seat, ride: &mut Ride, first: Instant) {
        self.decide((seat.part, first), |state, m| {
            let took = (m.at - ride.began).max(0.0);
            state.learn(took);
            state.loads[seat.at].answer(ride, took, m);
        });
    }

    /// Decides under the lock, for calls of one operation.
    fn decide<T>(
        &self,
        (part, now): (&'static str, Instant),
        decide: impl FnOnce(&mut State, &Moment<'_>) -> T,
    ) -> T {
        let mut states = lock(&self.states);
        let state = states.entry(part).or_insert_with(|| State::new(&self.targets, &self.policy));
        let m = Moment {
            policy: &self.policy,
            at: now.saturating_duration_since(self.made).as_secs_f64(),
            picks: state.picks,
            usual: state.usual.unwrap_or(USUAL),
        };
        decide(state, &m)
    }
}

/// What an outcome says of a target: a model that the caller named and nobody knows says nothing of it.
fn blamed(outcome: Outcome, target: &Target) -> Outcome {
    let unknown = outcome == Outcome::Rejected { why: Rejection::Model };
    if unknown && !target.has_model() {
        return Outcome::Rejected { why: Rejection::Request };
    }
    outcome
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
    fn new(targets: &[Target], policy: &BalancePolicy) -> Self {
        let random = policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Self { loads: vec![Load::default(); targets.len()], picks: 0, usual: None, random }
    }

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
