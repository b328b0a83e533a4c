//! Which routes a call may take: to be told before it is made.

use std::sync::Arc;

use super::{Fallback, FallbackPolicy, Fallbacks, eligibility::FailureContext};
use crate::{
    Request,
    context::{AttemptContext, Route},
    dialect::RequestInfo,
    outcome::Outcome,
    target::group::EqualTargets,
};

/// The fallbacks of a ladder that was built: to be asked where a call would go.
#[derive(Clone, Debug)]
pub(crate) struct FallbackList(pub(super) Arc<FallbackPolicy>);

// === impl FallbackList ===

impl FallbackList {
    /// Of each fallback that would ask somebody, in order, the routes of its equal targets; and whether the fallback leaves a target
    /// alone by now.
    pub(crate) fn routes(&self, request: &Request) -> Vec<Vec<(Route, bool)>> {
        let mut request = request.clone();
        let own = request.extensions().get::<Fallbacks>().map(|own| Arc::new(self.0.with(own)));
        let policy = own.as_ref().unwrap_or(&self.0);
        let info = policy.info(&mut request);
        let all = policy.fallbacks.iter().enumerate();
        let led = all.filter(|(at, _)| *at == 0 || policy.leads_to(*at, &info, &request));
        let mut routes: Vec<_> =
            led.filter_map(|(_, fallback)| fallback.routes(&request, &info)).collect();
        if routes.is_empty() && policy.fallbacks[0].asks() {
            // Where no fallback takes it the first is asked all the same.
            routes.push(beyond(policy.fallbacks[0].request(request, &info)));
        }
        routes
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// Whether that fallback is asked where the first one is out.
    fn leads_to(&self, at: usize, info: &RequestInfo, request: &Request) -> bool {
        let outcome = Outcome::NotSent { retry_in: None };
        let failed = FailureContext { outcome, offers: &self.fallbacks[0].offers, at: 0 };
        self.fallbacks[at].accepts(info, request.body(), failed).is_ok()
            && self.may_go(at, info).is_ok()
    }
}

// === impl Fallback ===

impl Fallback {
    fn routes(&self, request: &Request, info: &RequestInfo) -> Option<Vec<(Route, bool)>> {
        let ready = self.asks().then(|| self.prepare(request.clone(), info, None))?;
        Some(beyond(ready.ok()?.request))
    }
}

/// The route of a request that is ready for its fallback, or those of the targets that it may go to.
fn beyond(mut request: Request) -> Vec<(Route, bool)> {
    match EqualTargets::of(&request) {
        Some(equals) => equals.pool.routes(&request),
        None => vec![(AttemptContext::route(&mut request), false)],
    }
}
