//! The routes that a call may take, for questions before the call is made.

use std::sync::Arc;

use super::{Fallback, FallbackPolicy, eligibility::FailureContext, kind::Kind};
use crate::{
    Request,
    context::{AttemptContext, Route},
    dialect::RequestInfo,
    outcome::Outcome,
    target::group::EqualTargets,
    telemetry::ConfiguredFallback,
};

/// The fallbacks of a built layer, to look up the routes of a call.
#[derive(Clone, Debug)]
pub(crate) struct FallbackList(pub(super) Arc<FallbackPolicy>);

// === impl FallbackList ===

impl FallbackList {
    /// The name of each fallback, and the number of its targets.
    pub(crate) fn configured(&self) -> Vec<ConfiguredFallback> {
        self.0.fallbacks.iter().map(Fallback::configured).collect()
    }

    /// For each fallback that would send a request, in order: the routes of its targets, and whether each target is ejected at
    /// the moment.
    pub(crate) fn routes(&self, request: &Request) -> Vec<Vec<(Route, bool)>> {
        let mut request = request.clone();
        let own = self.0.of_call(request.extensions());
        let policy = own.as_ref().unwrap_or(&self.0);
        let info = policy.info(&mut request);
        let all = policy.fallbacks.iter().enumerate();
        let led = all.filter(|(at, _)| *at == 0 || policy.leads_to(*at, &info, &request));
        let mut routes: Vec<_> =
            led.filter_map(|(_, fallback)| fallback.routes(&request, &info)).collect();
        if routes.is_empty() && policy.fallbacks[0].asks() {
            // If no fallback takes the call, it is sent to the first all the same.
            routes.push(beyond(policy.fallbacks[0].request(request, &info)));
        }
        routes
    }
}

// === impl FallbackPolicy ===

impl FallbackPolicy {
    /// Whether that fallback is tried when the first one is unavailable.
    fn leads_to(&self, at: usize, info: &RequestInfo, request: &Request) -> bool {
        let outcome = Outcome::NotSent { retry_in: None };
        let failed = FailureContext { outcome, offers: &self.fallbacks[0].offers, at: 0 };
        self.fallbacks[at].accepts(info, request.body(), failed).is_ok()
            && self.may_go(at, info).is_ok()
    }
}

// === impl Fallback ===

impl Fallback {
    fn configured(&self) -> ConfiguredFallback {
        let targets = match &self.kind {
            Kind::Addressed | Kind::Target(_) => 1,
            Kind::TargetGroup(group) => group.targets.len() as u16,
            Kind::Stored(_) | Kind::Canned(_) | Kind::Wait => 0,
        };
        ConfiguredFallback { name: self.name.clone(), targets }
    }

    fn routes(&self, request: &Request, info: &RequestInfo) -> Option<Vec<(Route, bool)>> {
        let ready = self.asks().then(|| self.prepare(request.clone(), info, None))?;
        Some(beyond(ready.ok()?.request))
    }
}

/// The route of a request that is prepared for its fallback, or the routes of its equal targets.
pub(super) fn beyond(mut request: Request) -> Vec<(Route, bool)> {
    match EqualTargets::of(&request) {
        Some(equals) => equals.pool.routes(&request),
        None => vec![(AttemptContext::route(&mut request), false)],
    }
}
