//! Picks one of the equal targets. Pure: time and randomness come in as arguments.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::load::{DecisionInput, Eligibility, Load};
use crate::context::AffinityKey;

/// The picks of one call: each target once, then all of them again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tried {
    tried: u64,
    asked: CallTargets,
    /// Whether any attempt was sent: a local refusal costs nothing.
    sent: bool,
}

/// The facts that hold for all attempts of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallTargets {
    /// The operation, as routes name it.
    pub(crate) part: &'static str,
    /// The hash of the model that the caller named.
    pub(crate) model: Option<u64>,
    /// The bits of the targets that cannot answer the call, which is bound to an account or a model that they do not have.
    pub(crate) barred: u64,
}

/// The targets that the copies of one call were sent to, so that each copy goes to another target.
#[derive(Clone, Debug, Default)]
pub(crate) struct HedgedTargets(Arc<AtomicU64>);

/// The preferences of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PickRequest<'a> {
    /// The affinity key, and the places of the targets.
    pub(crate) affinity: Option<(AffinityKey, &'a [u64])>,
    /// The call can be sent only once, so it must not be the trial of an ejected target.
    pub(crate) once: bool,
}

/// A set of targets, as bits by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set(u64);

/// Calls with an affinity key stay at their target at least up to this number of calls in flight.
const NO_CROWD: f64 = 4.0;

// === impl Tried ===

impl Tried {
    pub(crate) fn tried(&mut self, at: usize) {
        self.tried |= 1 << at;
    }

    /// Sets the facts that hold for the whole call.
    pub(crate) fn of_call(&mut self, asked: CallTargets) {
        self.asked = asked;
    }

    pub(crate) fn is_barred(self, at: usize) -> bool {
        self.asked.barred & 1 << at != 0
    }

    pub(crate) fn part(self) -> &'static str {
        self.asked.part
    }

    /// The hash of the model that the caller named.
    pub(crate) fn model(self) -> Option<u64> {
        self.asked.model
    }

    /// The same round without these targets.
    pub(crate) fn without(mut self, bits: u64) -> Self {
        self.asked.barred |= bits;
        self
    }

    /// A new round of the same call.
    pub(crate) fn anew(self) -> Self {
        Self { asked: self.asked, ..Self::default() }
    }

    /// The same round without the targets of other copies of the call.
    pub(crate) fn beside(self, copies: &HedgedTargets) -> Self {
        Self { tried: self.tried | copies.0.load(Ordering::Relaxed), ..self }
    }

    /// Records whether the attempt was sent, or refused locally.
    pub(crate) fn sent(&mut self, sent: bool) {
        self.sent |= sent;
    }
}

// === impl HedgedTargets ===

impl HedgedTargets {
    pub(crate) fn asked(&self, at: usize) {
        self.0.fetch_or(1 << at, Ordering::Relaxed);
    }
}

/// The next target; `None` if no remaining target may do better than those that were tried. `random`: two numbers in `[0, 1)`.
pub(crate) fn pick(
    loads: &[Load],
    round: Tried,
    wish: PickRequest<'_>,
    m: &DecisionInput<'_>,
    random: [f64; 2],
) -> Option<usize> {
    let left = Set::of(loads.len(), |at| round.tried & 1 << at == 0 && !round.is_barred(at));
    let standing = |wanted| left.with(|at| loads[at].standing(m) == wanted);
    let (well, due) = (standing(Eligibility::Eligible), standing(Eligibility::TrialDue));
    if let Some((affinity, places)) = wish.affinity {
        let fair = crowd(loads, m);
        let roomy = well.or(due).with(|at| f64::from(loads[at].in_flight()) < fair);
        if let Some(at) = roomy.iter().max_by_key(|at| affinity.score(places[*at])) {
            return Some(at);
        }
    }
    let soonest =
        |set: Set| set.iter().min_by(|a, b| loads[*a].until().total_cmp(&loads[*b].until()));
    let due_first = due.with(|_| wish.affinity.is_none() && !wish.once);
    soonest(due_first)
        .or_else(|| two_choices(loads, well, m, random))
        .or_else(|| soonest(due))
        // All are ejected: pick one anyway.
        .or_else(|| soonest(left.with(|_| !round.sent)))
}

/// The less costly of two random targets: nearly as good as the least costly of all, without all calls choosing the same one at
/// the same moment.
fn two_choices(loads: &[Load], set: Set, m: &DecisionInput<'_>, random: [f64; 2]) -> Option<usize> {
    let count = set.len();
    let draw = |random: f64, of: usize| ((random * of as f64) as usize).min(of.saturating_sub(1));
    let first = draw(random[0], count);
    let a = set.iter().nth(first)?;
    let second = draw(random[1], count - 1);
    let other = set.iter().filter(|at| *at != a).nth(second);
    Some(other.filter(|b| loads[*b].cost(m) < loads[a].cost(m)).unwrap_or(a))
}

/// The number of calls in flight from which a target is too full for calls with an affinity key.
fn crowd(loads: &[Load], m: &DecisionInput<'_>) -> f64 {
    let total: f64 = loads.iter().map(|load| f64::from(load.in_flight())).sum();
    let part = (total + 1.0) / loads.len() as f64;
    (part * m.policy.bounded_load_factor).max(NO_CROWD)
}

// === impl Set ===

impl Set {
    fn of(count: usize, is_in: impl Fn(usize) -> bool) -> Self {
        Self((0..count).filter(|at| is_in(*at)).fold(0, |bits, at| bits | 1 << at))
    }

    fn with(self, is_in: impl Fn(usize) -> bool) -> Self {
        Self(self.iter().filter(|at| is_in(*at)).fold(0, |bits, at| bits | 1 << at))
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    fn iter(self) -> impl Iterator<Item = usize> {
        (0..u64::BITS as usize).filter(move |at| self.0 & 1 << at != 0)
    }
}

#[cfg(test)]
mod tests;
