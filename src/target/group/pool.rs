//! The equal targets of a fallback, and their state.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    BalancePolicy, TargetIndex,
    load::{DecisionInput, Eligibility, InFlight},
    pick::{CallTargets, HedgedTargets, PickRequest, Tried, pick},
    state::GroupState,
};
use crate::{
    Request,
    context::{AffinityKey, AttemptContext, CallContext, Route},
    dialect::RequestInfo,
    hash::hash,
    outcome::Outcome,
    sync::lock_std as lock,
    target::Target,
    time::saturating_add,
};

/// The equal targets of a fallback, and their state. Shared by all calls.
pub(crate) struct Pool {
    pub(super) targets: Vec<Target>,
    /// The hashes that affinity keys are scored against: the same in every process with the same targets.
    places: Vec<u64>,
    pub(super) policy: BalancePolicy,
    pub(super) made: Instant,
    /// By operation: a target that cannot make embeddings may serve chats. The number of operations is bounded.
    pub(super) states: Arc<Mutex<HashMap<&'static str, GroupState>>>,
}

/// The usual time to the first event until an answer has come, in seconds: that of the faster models.
const USUAL: f64 = 1.0;

// === impl Pool ===

impl Pool {
    /// A pool of validated targets: at least one, at most 64.
    pub(crate) fn new(targets: Vec<Target>, policy: BalancePolicy) -> Self {
        let names: Vec<_> = targets.iter().map(Target::place).collect();
        let place = |at: usize| {
            // Targets that differ only in their keys are distinguished by their order.
            let twins = names[..at].iter().filter(|name| **name == names[at]).count();
            hash(&(&names[at], twins))
        };
        Self {
            places: (0..targets.len()).map(place).collect(),
            targets,
            policy,
            made: Instant::now(),
            states: Arc::default(),
        }
    }

    /// Picks a target and rewrites the request for it. `copies`: the targets of other copies of the call.
    pub(crate) fn place(
        &self,
        mut request: Request,
        round: &mut Tried,
        copies: Option<&HedgedTargets>,
    ) -> (Request, TargetIndex) {
        let info = CallContext::info(&mut request);
        let affinity = request.extensions().get::<AffinityKey>().copied();
        let once = CallContext::of(&mut request).non_replayable;
        round.of_call(self.asked(&info, affinity));
        let wish =
            PickRequest { affinity: affinity.map(|affinity| (affinity, &self.places[..])), once };
        let at = self.pick(round, wish, copies);
        let mut request = self.targets[at].apply(request, &info);
        let route = route(&mut request);
        AttemptContext::of(&mut request).set_route(route);
        (request, TargetIndex { at, part: round.part(), model: round.model() })
    }

    /// The facts that hold for all attempts of a call.
    fn asked(&self, info: &RequestInfo, affinity: Option<AffinityKey>) -> CallTargets {
        let barred = self.barred(info, affinity);
        CallTargets { part: info.effects().operation_name(), model: info.model().map(hash), barred }
    }

    /// The bits of the targets that cannot answer a call: files belong to one account, vectors to one model. The account is that
    /// of the first target, or of the one that the affinity key selects.
    fn barred(&self, info: &RequestInfo, affinity: Option<AffinityKey>) -> u64 {
        let all = || 0..self.targets.len();
        let bits = |keeps: &dyn Fn(&Target) -> bool| {
            let others = all().filter(|at| !keeps(&self.targets[*at]));
            others.fold(0, |bits, at| bits | 1 << at)
        };
        let effects = info.effects();
        if effects.is_of_an_account() {
            let home = affinity.and_then(|it| all().max_by_key(|at| it.score(self.places[*at])));
            let home = &self.targets[home.unwrap_or_default()];
            return bits(&|target| target.is_account_of(home));
        }
        match effects.is_a_vector() {
            true => bits(&|target| target.is_model_of(&self.targets[0])),
            false => 0,
        }
    }

    /// The routes that a request may take, and whether each target is ejected at the moment. Picks none.
    pub(crate) fn routes(&self, request: &Request) -> Vec<(Route, bool)> {
        let mut request = request.clone();
        let info = CallContext::info(&mut request);
        let mut round = Tried::default();
        round.of_call(self.asked(&info, request.extensions().get::<AffinityKey>().copied()));
        let (round, rests) = self.decide(round.part(), Instant::now(), |state, m| {
            let rests = state.loads.iter().map(|load| load.standing(m) == Eligibility::Ejected);
            (state.narrowed(round, m), rests.collect::<Vec<_>>())
        });
        let routes =
            self.targets.iter().map(|target| route(&mut target.apply(request.clone(), &info)));
        let may_go = (0..self.targets.len()).map(|at| !round.is_barred(at));
        let all = routes.zip(rests).zip(may_go);
        all.filter_map(|(route, may_go)| may_go.then_some(route)).collect()
    }

    /// Whether a target is left that may do better than those that were tried.
    pub(crate) fn has_another(&self, round: Tried) -> bool {
        self.decide(round.part(), Instant::now(), |state, m| {
            let open = state.narrowed(round, m);
            pick(&state.loads, open, PickRequest::default(), m, [0.0; 2]).is_some()
        })
    }

    /// Until when our own breakers or limits refuse all targets; `None` if one does not.
    pub(crate) fn closed(&self, round: Tried, now: Instant) -> Option<Instant> {
        let at = self.decide(round.part(), now, |state, m| {
            let round = state.narrowed(round, m);
            let open = state.loads.iter().enumerate().filter(|(at, _)| !round.is_barred(*at));
            let soonest = open.map(|(_, load)| load.closed()).fold(f64::INFINITY, f64::min);
            (soonest > m.at).then_some(soonest - m.at)
        });
        at.map(|secs| saturating_add(now, Duration::from_secs_f64(secs)))
    }

    fn pick(
        &self,
        round: &mut Tried,
        wish: PickRequest<'_>,
        copies: Option<&HedgedTargets>,
    ) -> usize {
        let part = round.part();
        self.decide(part, Instant::now(), |state, m| state.pick(round, wish, copies, m))
    }

    pub(crate) fn begin(&self, index: TargetIndex, now: Instant) -> InFlight {
        self.decide(index.part, now, |state, m| state.loads[index.at].begin(m))
    }

    /// Records the outcome of an attempt. Returns the duration if the target was ejected.
    pub(crate) fn end(
        &self,
        index: TargetIndex,
        in_flight: &mut InFlight,
        outcome: Outcome,
    ) -> Option<Duration> {
        let names_it = self.targets[index.at].has_model();
        self.decide(index.part, Instant::now(), |state, m| {
            if outcome.is_success() && !in_flight.answered {
                state.learn(index, m.at - in_flight.began);
            }
            let outcome = if names_it { outcome } else { state.blamed(index, outcome, m) };
            state.loads[index.at].end(outcome, in_flight, m)
        })
    }

    /// Records that the breaker of a target refuses calls until then.
    pub(crate) fn close(&self, index: TargetIndex, until: Instant) {
        let now = Instant::now();
        let lasts = until.saturating_duration_since(now);
        self.decide(index.part, now, |state, m| state.loads[index.at].close(lasts, m));
    }

    /// Records that the first event of an answer came at `first`.
    pub(crate) fn answer(&self, index: TargetIndex, in_flight: &mut InFlight, first: Instant) {
        self.decide(index.part, first, |state, m| {
            let took = (m.at - in_flight.began).max(0.0);
            state.learn(index, took);
            state.loads[index.at].answer(in_flight, took, m);
        });
    }

    /// Runs `decide` under the lock, on the state of one operation.
    fn decide<T>(
        &self,
        part: &'static str,
        now: Instant,
        decide: impl FnOnce(&mut GroupState, &DecisionInput<'_>) -> T,
    ) -> T {
        let mut states = lock(&self.states);
        let state =
            states.entry(part).or_insert_with(|| GroupState::new(self.targets.len(), &self.policy));
        let m = DecisionInput {
            policy: &self.policy,
            at: now.saturating_duration_since(self.made).as_secs_f64(),
            picks: state.picks,
            usual: state.usual.unwrap_or(USUAL),
        };
        decide(state, &m)
    }
}

/// The route of a request that was rewritten for a target, with the suffix of the fallback's edit.
fn route(request: &mut Request) -> Route {
    let route = AttemptContext::route(request);
    match AttemptContext::of(request).variant.as_deref() {
        Some(variant) => route.with_variant(variant),
        None => route,
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("targets", &self.targets).finish_non_exhaustive()
    }
}
