//! The budgets of all routes.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::route_budget::Budget;
use crate::{context::Route, keyed_state::KeyedState};

/// The budgets of all routes. A handle: clones share them.
///
/// Give the same to everything that sends extra attempts, so that retries and hedges draw on one budget.
#[derive(Clone)]
pub struct Budgets(Arc<Kind>);

enum Kind {
    PerRoute {
        routes: Box<KeyedState<Budget>>,
        make: fn(f64, u32) -> Budget,
        share: f64,
        reserve: u32,
    },
    One(Arc<Budget>),
}

// === impl Budgets ===

impl Budgets {
    /// One budget for each route, made on first use, forgotten after two hours without a call.
    pub(crate) fn per_route(share: f64, reserve: u32) -> Self {
        Self(Arc::new(Kind::PerRoute {
            routes: KeyedState::new().into(),
            make: Budget::of,
            share,
            reserve,
        }))
    }

    /// The same with nothing in reserve at the start: never more than `share` of the first attempts.
    pub(crate) fn unearned(share: f64, reserve: u32) -> Self {
        let make = Budget::unearned;
        Self(Arc::new(Kind::PerRoute { routes: KeyedState::new().into(), make, share, reserve }))
    }

    /// One budget for all routes: where they share one capacity, such as a gateway of your own.
    pub fn shared(budget: impl Into<Arc<Budget>>) -> Self {
        Self(Arc::new(Kind::One(budget.into())))
    }

    /// The budget of a route.
    pub fn of(&self, route: &Route) -> Arc<Budget> {
        self.at(route, Instant::now())
    }

    pub(crate) fn at(&self, route: &Route, now: Instant) -> Arc<Budget> {
        match &*self.0 {
            Kind::PerRoute { routes, make, share, reserve } => {
                routes.of(route, now, |_| make(*share, *reserve))
            }
            Kind::One(budget) => budget.clone(),
        }
    }

    /// The budget of a route is as at the start. One that all routes share stays as it is.
    pub(crate) fn reset(&self, route: &Route) {
        if let Kind::PerRoute { routes, .. } = &*self.0 {
            routes.get(route).iter().for_each(|budget| budget.refill());
        }
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::PerRoute { routes, .. } => write!(f, "Budgets({routes:?})"),
            Kind::One(budget) => write!(f, "Budgets({budget:?})"),
        }
    }
}
