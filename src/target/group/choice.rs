//! The equal targets that an attempt may go to, as its request carries them.

use std::sync::Arc;

use super::{HedgedTargets, Pool, TargetIndex};
use crate::Request;

/// The equal targets that an attempt may go to, in the extensions of its request, where there are several.
///
/// | what | written by | read by |
/// |---|---|---|
/// | `pool` | the fallback that has the targets | retry, balance, hedge, breaker |
/// | `copies` | the hedge | the picking of a target |
/// | `picked` | retry, for one attempt | balance, which takes it out |
#[derive(Clone, Debug)]
pub(crate) struct EqualTargets {
    pub(crate) pool: Arc<Pool>,
    /// What the copies of the call have asked, where there may be a second one.
    pub(crate) copies: Option<HedgedTargets>,
    /// The target that was picked for this attempt; the request is rewritten for it.
    pub(crate) picked: Option<TargetIndex>,
}

// === impl EqualTargets ===

impl EqualTargets {
    /// Puts the targets into a request, in place of any others. None of them is picked.
    pub(crate) fn offer(request: &mut Request, pool: Arc<Pool>) {
        request.extensions_mut().insert(Self { pool, copies: None, picked: None });
    }

    /// The equal targets of a request.
    pub(crate) fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// What other copies of the call have asked, where there may be any.
    pub(crate) fn copies(request: &Request) -> Option<HedgedTargets> {
        Self::of(request)?.copies.clone()
    }

    /// The equal targets of a request, to be written to.
    pub(crate) fn of_mut(request: &mut Request) -> Option<&mut Self> {
        request.extensions_mut().get_mut()
    }
}
