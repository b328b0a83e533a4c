//! The layers that keep state, in one registry or with the state of another stack.

use crate::{
    ConfigError,
    amend::AmendLayer,
    breaker::BreakerLayer,
    cache::{CacheLayer, CachePolicy},
    context::Routes,
    fallback::{FallbackLayer, FallbackPolicy},
    hedge::HedgeLayer,
    limit::LimitLayer,
    profile::Profile,
    provenance::Provenance,
    retry::RetryLayer,
    time::Limit,
    timeout::{DeadlineLayer, DeadlinePolicy},
};

/// The layers of a stack that keep state. A handle: clones share it.
#[derive(Clone, Debug)]
pub(crate) struct StatefulLayers {
    /// One registry for all layers: an attempt looks its route up once.
    routes: Routes,
    pub(super) memory: Provenance,
    pub(super) deadline: DeadlineLayer,
    pub(super) cache: Option<CacheLayer>,
    pub(super) fallback: FallbackLayer,
    pub(super) hedge: HedgeLayer,
    pub(super) retry: RetryLayer,
    pub(super) amend: AmendLayer,
    pub(super) breaker: BreakerLayer,
    pub(super) limit: LimitLayer,
}

// === impl StatefulLayers ===

impl StatefulLayers {
    /// Layers without any state. The policies have been checked.
    pub(super) fn new(
        profile: &Profile,
        fallbacks: &FallbackPolicy,
        cache: Option<CachePolicy>,
    ) -> Result<Self, ConfigError> {
        let (routes, memory) = (Routes::new(), Provenance::new());
        let retry = profile.retry.clone().build()?.routes(&routes);
        Ok(Self {
            cache: cache_layer(cache, fallbacks)?,
            deadline: deadline_layer(profile, fallbacks)?,
            fallback: fallbacks.clone().build()?.routes(&routes).provenance(&memory),
            hedge: hedge_layer(profile, &retry)?.routes(&routes),
            retry,
            amend: AmendLayer::new(),
            breaker: profile.fitted_breaker().build()?.routes(&routes),
            limit: profile.limit.clone().build()?.routes(&routes),
            routes,
            memory,
        })
    }

    /// The same layers with the state of those `before`, which go on with the settings of these where they share it.
    pub(super) fn state_of(self, profile: &Profile, before: &Self) -> Result<Self, ConfigError> {
        let retry = self.retry.state_of(&before.retry);
        let fallback = self.fallback.state_of(&before.fallback);
        fallback.forget_routes(&before.fallback, &before.routes);
        let cache = self.cache.map(|cache| match &before.cache {
            Some(before) => cache.state_of(before),
            None => cache,
        });
        Ok(Self {
            cache,
            deadline: self.deadline.state_of(&before.deadline),
            fallback,
            hedge: hedge_layer(profile, &retry)?.state_of(&before.hedge),
            retry,
            amend: self.amend.state_of(&before.amend),
            breaker: self.breaker.state_of(&before.breaker),
            limit: self.limit.state_of(&before.limit),
            routes: before.routes.clone(),
            memory: before.memory.clone(),
        })
    }
}

fn deadline_layer(
    profile: &Profile,
    fallbacks: &FallbackPolicy,
) -> Result<DeadlineLayer, ConfigError> {
    // Another target answers in time: there a call need not wait until a model is loaded.
    let cold_start = profile.cold_start.filter(|_| !fallbacks.asks_again()).map(Limit::time);
    DeadlinePolicy::default().limit(profile.deadline).cold_start(cold_start).build()
}

/// Copies and retries share one bound.
fn hedge_layer(profile: &Profile, retry: &RetryLayer) -> Result<HedgeLayer, ConfigError> {
    match profile.hedge.clone() {
        Some(hedge) => hedge.budgets(retry.budgets()).build(),
        None => Ok(HedgeLayer::measuring()),
    }
}

/// The layer of the cache, if there is one. A stored-answer fallback needs it.
fn cache_layer(
    cache: Option<CachePolicy>,
    fallbacks: &FallbackPolicy,
) -> Result<Option<CacheLayer>, ConfigError> {
    match (cache, fallbacks.stored()) {
        (Some(cache), _) => Ok(Some(cache.build()?.dialects(fallbacks.dialects()))),
        (None, None) => Ok(None),
        (None, Some((at, name))) => {
            let allowed =
                "a stored answer only with a cache: Client::builder().cache(CachePolicy::new())";
            Err(ConfigError::new(format!("fallbacks[{at}]"), name, allowed))
        }
    }
}
