//! The equal targets of an attempt, as its request carries them.

use std::sync::Arc;

use super::{HedgedTargets, Pool, TargetIndex};
use crate::Request;

/// The equal targets that an attempt may go to, in the extensions of its request, if there are several.
///
/// | field | written by | read by |
/// |---|---|---|
/// | `pool` | the fallback that has the targets | retry, balance, hedge, breaker |
/// | `copies` | the hedge | the picking of a target |
/// | `picked` | retry, for one attempt | balance, which removes it |
#[derive(Clone, Debug)]
pub(crate) struct EqualTargets {
    pub(crate) pool: Arc<Pool>,
    /// The targets of the copies of the call, if it may be hedged.
    pub(crate) copies: Option<HedgedTargets>,
    /// The target that was picked for this attempt; the request is rewritten for it.
    pub(crate) picked: Option<TargetIndex>,
}

// === impl EqualTargets ===

impl EqualTargets {
    /// Puts the targets into a request, replacing any others. None of them is picked.
    pub(crate) fn offer(request: &mut Request, pool: Arc<Pool>) {
        request.extensions_mut().insert(Self { pool, copies: None, picked: None });
    }

    /// The equal targets of a request.
    pub(crate) fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// The targets of other copies of the call, if there may be any.
    pub(crate) fn copies(request: &Request) -> Option<HedgedTargets> {
        Self::of(request)?.copies.clone()
    }

    /// The equal targets of a request, mutably.
    pub(crate) fn of_mut(request: &mut Request) -> Option<&mut Self> {
        request.extensions_mut().get_mut()
    }
}
