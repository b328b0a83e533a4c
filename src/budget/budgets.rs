//! The budgets of all routes.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::{
    route_budget::Budget,
    terms::{SharedTerms, Terms},
};
use crate::{
    Request,
    context::{AttemptContext, Route, Routes},
    route_state::{RouteHandle, Slot},
};

/// The budgets of all routes. A handle: clones share them.
///
/// Give the same one to all layers that send extra attempts, so that retries and hedges draw on one budget.
#[derive(Clone)]
pub struct Budgets(Arc<Kind>);

enum Kind {
    PerRoute { slot: Slot<Budget>, make: fn(Terms) -> Budget, terms: SharedTerms },
    One(Arc<Budget>),
}

// === impl Budgets ===

impl Budgets {
    /// One budget for each route of that registry, created on first use, evicted after two hours without a call.
    pub(crate) fn per_route(routes: &Routes, share: f64, reserve: u32) -> Self {
        Self::made(routes, Budget::of, Terms::new(share, reserve))
    }

    /// The same without an initial reserve: never more than `share` of the first attempts.
    pub(crate) fn unearned(routes: &Routes, share: f64, reserve: u32) -> Self {
        Self::made(routes, Budget::unearned, Terms::new(share, reserve))
    }

    fn made(routes: &Routes, make: fn(Terms) -> Budget, terms: Terms) -> Self {
        let (slot, terms) = (Slot::new(routes), SharedTerms::new(terms));
        Self(Arc::new(Kind::PerRoute { slot, make, terms }))
    }

    /// Replaces share and reserve of the budgets. Returns false if they are not kept per route.
    pub(crate) fn adopt(&self, share: f64, reserve: u32) -> bool {
        match &*self.0 {
            Kind::PerRoute { terms, .. } => {
                terms.replace(Terms::new(share, reserve));
                true
            }
            Kind::One(_) => false,
        }
    }

    /// One budget for all routes: use it if they share one capacity, such as a gateway of your own.
    pub fn shared(budget: impl Into<Arc<Budget>>) -> Self {
        Self(Arc::new(Kind::One(budget.into())))
    }

    /// The budget of a route.
    pub fn of(&self, route: &Route) -> Arc<Budget> {
        match &*self.0 {
            Kind::PerRoute { slot, make, terms } => {
                let terms = terms.get();
                let budget = slot.find(route, Instant::now(), |_| make(terms));
                budget.adopt(terms);
                budget
            }
            Kind::One(budget) => budget.clone(),
        }
    }

    /// The budget in the entry of a handle.
    pub(crate) fn at(&self, at: &RouteHandle, now: Instant) -> Arc<Budget> {
        match &*self.0 {
            Kind::PerRoute { slot, make, terms } => {
                let terms = terms.get();
                let budget = slot.of(at, now, |_| make(terms));
                budget.adopt(terms);
                budget
            }
            Kind::One(budget) => budget.clone(),
        }
    }

    /// The budget of the route of an attempt.
    pub(crate) fn of_attempt(&self, request: &mut Request, now: Instant) -> Arc<Budget> {
        match &*self.0 {
            Kind::PerRoute { slot, .. } => {
                self.at(&AttemptContext::state(request, slot.routes(), now), now)
            }
            Kind::One(budget) => budget.clone(),
        }
    }

    /// Resets the budget of a route. A shared budget is not changed.
    pub(crate) fn reset(&self, route: &Route) {
        if let Kind::PerRoute { slot, .. } = &*self.0 {
            slot.get(route).iter().for_each(|budget| budget.refill());
        }
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::PerRoute { slot, .. } => write!(f, "Budgets({slot:?})"),
            Kind::One(budget) => write!(f, "Budgets({budget:?})"),
        }
    }
}
