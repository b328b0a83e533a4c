//! Copies the values of a call from the extensions of another client.

use http::Extensions;

use super::{
    CallOptions,
    apply::{Present, insert, set_deadline},
};
use crate::{
    Request,
    cache::Tenant,
    context::{AffinityKey, CallContext, Deadline, Fallbacks, NonReplayable, Priority},
    dialect::Dialect,
    stream::{CommitPolicy, MidStreamFailure},
};

/// Copies the values for a call that a caller of reqwest-middleware may put into the extensions of a request.
pub(crate) fn carry(from: &Extensions, request: &mut Request) {
    let to = request.extensions_mut();
    insert(to, from.get::<Priority>().copied(), Present::Replaced);
    insert(to, from.get::<AffinityKey>().copied(), Present::Replaced);
    insert(to, from.get::<Tenant>().cloned(), Present::Replaced);
    insert(to, from.get::<Fallbacks>().cloned(), Present::Replaced);
    insert(to, from.get::<CommitPolicy>().copied(), Present::Replaced);
    insert(to, from.get::<MidStreamFailure>().copied(), Present::Replaced);
    insert(to, from.get::<Dialect>().copied(), Present::Replaced);
    insert(to, from.get::<NonReplayable>().copied(), Present::Replaced);
    insert(to, from.get::<CallOptions>().cloned(), Present::Replaced);
    if let Some(deadline) = from.get::<Deadline>() {
        set_deadline(to, *deadline);
    }
    // The context of a call with a timeout or a streamed body is there already.
    if from.get::<NonReplayable>().is_some() {
        CallContext::of(request).non_replayable = true;
    }
}
