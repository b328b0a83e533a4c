//! The state of fallbacks that is kept when their configuration changes.

use std::sync::Arc;

use super::{
    Fallback, FallbackLayer, FallbackPolicy,
    kind::{Kind, TargetGroup},
};
use crate::{
    context::Routes,
    target::{Footprint, group::Pool},
};

// === impl FallbackLayer ===

impl FallbackLayer {
    /// Keeps the state of another layer in place of its own: the queues of calls that wait for recovery, which fallback has made a
    /// stored response, and the latencies and ejections of [equal targets](crate::balance) in the fallback of the same name.
    #[must_use]
    pub fn state_of(mut self, other: &Self) -> Self {
        let policy = Arc::make_mut(&mut self.policy);
        for fallback in &mut policy.fallbacks {
            let before = other.policy.fallbacks.iter().find(|before| before.name == fallback.name);
            before.and_then(Fallback::pool).iter().for_each(|pool| fallback.keep(pool));
        }
        self.queues = other.queues.clone();
        self.memory = other.memory.clone();
        self
    }

    /// Forgets the state of the routes that only targets of `before` had.
    pub(crate) fn forget_routes(&self, before: &Self, routes: &Routes) {
        let now = self.policy.footprints();
        let anywhere = now.iter().any(Footprint::is_anywhere);
        let old = before.policy.footprints();
        let covers = |all: &[Footprint], route: &_| all.iter().any(|it| it.covers(route));
        let gone: Vec<_> = old
            .into_iter()
            .filter(|it| !it.is_anywhere() && (it.is_exclusive() || !anywhere))
            .collect();
        let left: Vec<_> = now.into_iter().filter(|it| !it.is_anywhere()).collect();
        routes.forget(|route| covers(&gone, route) && !covers(&left, route));
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// The routes that lead to its targets.
    fn footprints(&self) -> Vec<Footprint> {
        let of = |fallback: &Fallback| match &fallback.kind {
            Kind::Addressed => vec![crate::target::Target::same_host().footprint()],
            _ => fallback.own_targets().iter().map(|target| target.footprint()).collect(),
        };
        self.fallbacks.iter().flat_map(of).collect()
    }
}

// === impl Fallback ===

impl Fallback {
    fn pool(&self) -> Option<&Arc<Pool>> {
        match &self.kind {
            Kind::TargetGroup(TargetGroup { pool, .. }) => pool.as_ref(),
            _ => None,
        }
    }

    /// Keeps the state of the same targets in another pool.
    fn keep(&mut self, before: &Pool) {
        if let Kind::TargetGroup(TargetGroup { targets, policy, pool }) = &mut self.kind {
            *pool = Some(Arc::new(Pool::new(targets.clone(), policy.clone()).state_of(before)));
        }
    }
}
