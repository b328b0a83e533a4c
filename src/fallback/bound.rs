//! Decides which calls stay at the account or model they were addressed to, and which fallbacks may take them anyway.

use super::{Fallback, FallbackPolicy, failure::Failure, kind::Kind};
use crate::{
    dialect::{Operation, RequestInfo, TargetDifference},
    target::Target,
    telemetry::SkipReason,
};

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// Whether a call may go to the fallback at `at` (below the first), by the effects of the call and by what it is bound to.
    pub(super) fn may_go(&self, at: usize, info: &RequestInfo) -> Result<(), SkipReason> {
        let fallback = &self.fallbacks[at];
        let bound = fallback
            .differs(&self.fallbacks[0])
            .is_some_and(|other| info.effects().is_bound_to(other));
        if bound && !fallback.names(info) { Err(SkipReason::Bound) } else { Ok(()) }
    }

    /// Like [`may_go`](Self::may_go), after a failure: rejects a fallback that would repeat what the provider may already have
    /// done.
    pub(super) fn may_follow(
        &self,
        at: usize,
        info: &RequestInfo,
        failure: Option<&Failure>,
    ) -> Result<(), SkipReason> {
        let (fallback, effects) = (&self.fallbacks[at], info.effects());
        let acted = failure.is_some_and(|failure| failure.acted);
        let paid = effects.only_costs() && fallback.names(info);
        if acted && !fallback.is_instant() && !effects.repeats() && !paid {
            return Err(SkipReason::Bound);
        }
        self.may_go(at, info)
    }
}

// === impl Fallback ===

impl Fallback {
    /// Lets this fallback take operations that by default [stay](super) where they were addressed: embeddings at a target with
    /// the same model, images at another provider, files that are kept at both. [`Operation::Chat`] takes chats that name
    /// something stored at an account. By default a fallback takes only the calls that any provider can answer.
    ///
    /// ```
    /// use evenkeel::{dialect::Operation, fallback::{Fallback, Target}};
    ///
    /// let same_model = Target::new("https://eu.example.com/v1").bearer("its key");
    /// let fallback = Fallback::target(same_model).operations([Operation::Embeddings]);
    /// # let _ = fallback;
    /// ```
    #[must_use]
    pub fn operations(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.takes.extend(operations);
        self
    }

    /// Whether [`operations`](Self::operations) names the operation of the call.
    fn names(&self, info: &RequestInfo) -> bool {
        self.takes.contains(&info.operation())
    }

    /// How the fallback's target differs from the first target; `None` for a fallback that sends no request.
    fn differs(&self, first: &Self) -> Option<TargetDifference> {
        let target = match &self.kind {
            Kind::Addressed => {
                let account = !first.is_addressed();
                return Some(TargetDifference { account, model: false });
            }
            Kind::Target(target) => target,
            // Calls that are bound to an account go to the account of the first target.
            Kind::TargetGroup(equals) => equals.targets.first()?,
            Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => return None,
        };
        let same = match &first.kind {
            Kind::Target(first) => target.is_account_of(first),
            Kind::TargetGroup(equals) => equals.targets.first()?.is_account_of(target),
            _ => target.is_addressed(),
        };
        Some(TargetDifference { account: !same, model: target.has_model() })
    }

    /// Whether it sends to the account that the caller addressed.
    fn is_addressed(&self) -> bool {
        match &self.kind {
            Kind::Target(target) => target.is_addressed(),
            Kind::TargetGroup(equals) => equals.targets.first().is_some_and(Target::is_addressed),
            _ => true,
        }
    }
}
