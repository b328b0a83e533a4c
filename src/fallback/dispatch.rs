//! What a fallback does with a request, by its kind.

use std::sync::Arc;

use http::HeaderValue;

use super::{
    Fallback,
    kind::{Kind, TargetGroup},
};
use crate::{
    Request,
    context::{AttemptContext, Route},
    dialect::{Dialect, Prefill, RequestInfo},
    target::{
        Target,
        group::{EqualTargets, Pool},
    },
};

// === impl Fallback ===

impl Fallback {
    /// The dialect that it says it speaks.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match &self.kind {
            Kind::Target(target) => target.spoken(),
            Kind::TargetGroup(equals) => equals.targets.iter().find_map(Target::spoken),
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => None,
        }
    }

    /// How it takes the beginning of an answer; `None` if it does not.
    pub(super) fn prefill(&self) -> Option<Prefill> {
        self.offers.prefill.filter(|_| !self.is_instant())
    }

    /// Its targets; none if it sends the request where the caller addressed it, or sends none.
    pub(super) fn own_targets(&self) -> &[Target] {
        match &self.kind {
            Kind::Target(target) => std::slice::from_ref(&**target),
            Kind::TargetGroup(equals) => &equals.targets,
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => &[],
        }
    }

    /// Whether it sends a request.
    pub(super) fn asks(&self) -> bool {
        matches!(self.kind, Kind::Addressed | Kind::Target(_) | Kind::TargetGroup(_))
    }

    pub(super) fn waits(&self) -> bool {
        matches!(self.kind, Kind::Wait)
    }

    /// Whether it has several equal targets.
    pub(super) fn has_equals(&self) -> bool {
        matches!(self.kind, Kind::TargetGroup(_))
    }

    /// Whether it needs no time: a stored answer or a canned reply.
    pub(super) fn is_instant(&self) -> bool {
        matches!(self.kind, Kind::Canned(_) | Kind::Stored(_))
    }

    /// Whether it always answers, and so must be the last.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.kind, Kind::Canned(_))
    }

    pub(super) fn is_stored(&self) -> bool {
        matches!(self.kind, Kind::Stored(_))
    }

    /// The name as a header value.
    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.name).unwrap_or(HeaderValue::from_static("fallback"))
    }

    /// The request for this fallback, with its route. A group of targets picks one of them for each attempt.
    pub(super) fn request(&self, mut request: Request, info: &RequestInfo) -> Request {
        match &self.kind {
            Kind::Target(target) => target.apply(request, info),
            Kind::TargetGroup(equals) => {
                let route = Route::new(&self.name, info.model().unwrap_or("-"), "-")
                    .with_operation(info.effects().operation_name());
                AttemptContext::of(&mut request).set_route(route);
                if let Some(pool) = &equals.pool {
                    EqualTargets::offer(&mut request, pool.clone());
                }
                request
            }
            Kind::Addressed | Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => request,
        }
    }

    /// Creates the state of its targets.
    pub(super) fn open(&mut self) {
        if let Kind::TargetGroup(TargetGroup { targets, policy, pool }) = &mut self.kind {
            *pool = Some(Arc::new(Pool::new(targets.clone(), policy.clone())));
        }
    }
}
