//! Where a client reads what a call may expect.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Availability, Request,
    breaker::Breakers,
    budget::Budgets,
    context::{CallContext, Deadline, Route},
    fallback::FallbackList,
    identity::IdentityLayer,
    limit::Limits,
};

/// Where a client reads it: the handles of what its stack keeps for each route.
#[derive(Clone, Debug)]
pub(crate) struct AvailabilityView {
    pub(crate) breakers: Breakers,
    pub(crate) limits: Limits,
    pub(crate) budgets: Budgets,
    pub(crate) fallbacks: FallbackList,
    /// By what callers are known, where that is set.
    pub(crate) identity: Option<IdentityLayer>,
    /// As long as a call has that says nothing else.
    pub(crate) deadline: Duration,
}

// === impl AvailabilityView ===

impl AvailabilityView {
    /// Of one route.
    pub(crate) fn at(&self, route: &Route) -> Availability {
        self.of(route, self.deadline, Instant::now())
    }

    /// Forgets what is kept of a route.
    pub(crate) fn reset(&self, route: &Route) {
        self.breakers.reset(route);
        self.limits.reset(route);
        self.budgets.reset(route);
    }

    /// Of the ladder that a request would go down.
    pub(crate) fn ahead(&self, request: &Request) -> Availability {
        let now = Instant::now();
        let own = request.extensions().get::<Deadline>().map(|deadline| deadline.left(now));
        let usual = own.unwrap_or(self.deadline);
        // A timeout of the request applies if it is sooner.
        let time = CallContext::deadline(request).map_or(usual, |set| set.left(now).min(usual));
        let fallbacks = self.routes(request).into_iter().map(|equals| {
            let each = equals.into_iter().map(|(route, rests)| {
                let rest = if rests { Availability::PROBE_ONLY } else { Availability::Clear };
                self.of(&route, time, now).and(rest)
            });
            each.reduce(Availability::or).unwrap_or(Availability::Clear)
        });
        let mut fallbacks = fallbacks;
        let Some(first) = fallbacks.next() else { return Availability::Clear };
        match first {
            // Those below take its calls, and that is less than was wanted.
            Availability::Unavailable { .. } => {
                fallbacks.fold(first, |so_far, below| match below {
                    Availability::Unavailable { .. } => so_far.or(below),
                    Availability::Degraded { wait, .. } => {
                        so_far.or(Availability::Degraded { share: 0.0, wait })
                    }
                    Availability::Clear => so_far.or(Availability::PROBE_ONLY),
                })
            }
            first => first,
        }
    }

    /// Of each fallback that would ask somebody, the routes of its equal targets; and whether it leaves a target alone by now.
    pub(crate) fn routes(&self, request: &Request) -> Vec<Vec<(Route, bool)>> {
        match &self.identity {
            Some(identity) => {
                let mut request = request.clone();
                identity.mark(&mut request);
                self.fallbacks.routes(&request)
            }
            None => self.fallbacks.routes(request),
        }
    }

    fn of(&self, route: &Route, time: Duration, now: Instant) -> Availability {
        self.breakers.availability(route, now).and(self.limits.availability(route, time, now))
    }
}
