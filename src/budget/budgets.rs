//! The budgets of all routes.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::route_budget::Budget;
use crate::{
    Request,
    context::{AttemptContext, Route, Routes},
    route_state::{RouteHandle, Slot},
};

/// The budgets of all routes. A handle: clones share them.
///
/// Give the same to everything that sends extra attempts, so that retries and hedges draw on one budget.
#[derive(Clone)]
pub struct Budgets(Arc<Kind>);

enum Kind {
    PerRoute { slot: Slot<Budget>, make: fn(f64, u32) -> Budget, share: f64, reserve: u32 },
    One(Arc<Budget>),
}

// === impl Budgets ===

impl Budgets {
    /// One budget for each route of that registry, made on first use, forgotten after two hours without a call.
    pub(crate) fn per_route(routes: &Routes, share: f64, reserve: u32) -> Self {
        let (slot, make) = (Slot::new(routes), Budget::of);
        Self(Arc::new(Kind::PerRoute { slot, make, share, reserve }))
    }

    /// The same with nothing in reserve at the start: never more than `share` of the first attempts.
    pub(crate) fn unearned(routes: &Routes, share: f64, reserve: u32) -> Self {
        let (slot, make) = (Slot::new(routes), Budget::unearned);
        Self(Arc::new(Kind::PerRoute { slot, make, share, reserve }))
    }

    /// One budget for all routes: where they share one capacity, such as a gateway of your own.
    pub fn shared(budget: impl Into<Arc<Budget>>) -> Self {
        Self(Arc::new(Kind::One(budget.into())))
    }

    /// The budget of a route.
    pub fn of(&self, route: &Route) -> Arc<Budget> {
        match &*self.0 {
            Kind::PerRoute { slot, make, share, reserve } => {
                slot.find(route, Instant::now(), |_| make(*share, *reserve))
            }
            Kind::One(budget) => budget.clone(),
        }
    }

    /// The budget of a route that was looked up.
    pub(crate) fn at(&self, at: &RouteHandle, now: Instant) -> Arc<Budget> {
        match &*self.0 {
            Kind::PerRoute { slot, make, share, reserve } => {
                slot.of(at, now, |_| make(*share, *reserve))
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

    /// The budget of a route is as at the start. One that all routes share stays as it is.
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
