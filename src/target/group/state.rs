//! The state of the equal targets, for one operation.

use super::{
    BalancePolicy, TargetIndex,
    load::{DecisionInput, Eligibility, Load},
    pick::{HedgedTargets, PickRequest, Tried, pick},
    unknown::{LASTS, Pair, Unknown},
};
use crate::outcome::{Outcome, Rejection};

/// The state of the equal targets, for one operation.
pub(super) struct GroupState {
    pub(super) loads: Vec<Load>,
    pub(super) picks: u64,
    /// The usual time to the first event over all targets, in seconds.
    pub(super) usual: Option<f64>,
    random: fastrand::Rng,
    /// The models that some targets do not have.
    unknown: Unknown,
}

/// The inverse weight of one answer in the usual time.
const PARTS: f64 = 16.0;

// === impl GroupState ===

impl GroupState {
    pub(super) fn new(targets: usize, policy: &BalancePolicy) -> Self {
        let random = policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Self {
            loads: vec![Load::default(); targets],
            picks: 0,
            usual: None,
            random,
            unknown: Unknown::new(targets),
        }
    }

    /// Picks the target of the next attempt.
    pub(super) fn pick(
        &mut self,
        round: &mut Tried,
        wish: PickRequest<'_>,
        copies: Option<&HedgedTargets>,
        m: &DecisionInput<'_>,
    ) -> usize {
        let random = [self.random.f64(), self.random.f64()];
        let open = self.narrowed(*round, m);
        let beside = copies.map(|copies| open.beside(copies));
        let at = beside
            .and_then(|beside| pick(&self.loads, beside, wish, m, random))
            .or_else(|| pick(&self.loads, open, wish, m, random))
            // Another call may have changed a target since `has_another`.
            .or_else(|| pick(&self.loads, open.anew(), wish, m, random))
            .unwrap_or_default();
        self.picks = self.picks.saturating_add(1);
        self.loads[at].try_again(m);
        if let Some(model) = round.model() {
            let trial = m.at + m.policy.penalty.as_secs_f64();
            self.unknown.try_again(Pair { at, model }, m.at, trial);
        }
        round.tried(at);
        if let Some(copies) = copies {
            copies.asked(at);
        }
        at
    }

    /// The same round without the targets that did not have its model. If no other target is eligible, all are kept: one of them
    /// may have the model by now.
    pub(super) fn narrowed(&self, round: Tried, m: &DecisionInput<'_>) -> Tried {
        let lack = round.model().map_or(0, |model| self.unknown.bits(model, m.at));
        let narrow = round.without(lack);
        let mut all = self.loads.iter().enumerate();
        match all
            .any(|(at, load)| !narrow.is_barred(at) && load.standing(m) != Eligibility::Ejected)
        {
            true => narrow,
            false => round,
        }
    }

    /// Records the time to the first event of an answer.
    pub(super) fn learn(&mut self, index: TargetIndex, secs: f64) {
        let usual = self.usual.unwrap_or(secs);
        self.usual = Some(usual + (secs - usual) / PARTS);
        if let Some(pair) = index.pair() {
            self.unknown.forget(pair);
        }
    }

    /// The outcome to record for a target that does not set a model itself: an unknown model is recorded for the pair, and does
    /// not count against the target.
    pub(super) fn blamed(
        &mut self,
        index: TargetIndex,
        outcome: Outcome,
        m: &DecisionInput<'_>,
    ) -> Outcome {
        if outcome != (Outcome::Rejected { why: Rejection::Model }) {
            return outcome;
        }
        if let Some(pair) = index.pair() {
            self.unknown.note(pair, m.at, LASTS.min(m.policy.permanent_failure_ejection));
        }
        Outcome::Rejected { why: Rejection::Request }
    }
}
