//! THE ORDER of the layers, outermost first.

mod view;

#[cfg(test)]
mod tests;

use tower::ServiceBuilder;

pub(crate) use self::view::AvailabilityView;

use crate::{
    ConfigError, Upstream,
    balance::BalanceLayer,
    cache::{CacheLayer, CachePolicy},
    context::Routes,
    fallback::FallbackPolicy,
    hedge::HedgeLayer,
    identity::IdentityLayer,
    profile::Profile,
    telemetry::{AttemptSpanLayer, EventSink, TelemetryLayer},
    timeout::DeadlinePolicy,
};

/// What a client may have or do without.
pub(crate) struct Parts {
    pub(crate) cache: Option<CachePolicy>,
    pub(crate) fallbacks: FallbackPolicy,
    pub(crate) identity: Option<IdentityLayer>,
}

/// The whole stack over an upstream, and the handles of what it keeps per route.
pub(crate) fn build<S: Upstream>(
    upstream: S,
    profile: Profile,
    Parts { cache, fallbacks, identity }: Parts,
    events: EventSink,
) -> Result<(impl Upstream, AvailabilityView), ConfigError> {
    profile.check()?;
    let fallbacks = if profile.waits { fallbacks.waiting_for_recovery() } else { fallbacks };
    fallbacks.check(Some(profile.deadline))?;
    let cache = cache_layer(cache, &fallbacks, &events)?;
    // One registry for all: an attempt looks its route up once.
    let routes = Routes::new();
    let breaker = profile.fitted_breaker().build()?.routes(&routes).events(events.clone());
    let limit = profile.limit.build()?.routes(&routes).events(events.clone());
    // A deadline that is set bounds the limits that are not: the first target has what is not kept back for the others.
    let timeout = profile.timeout.within(fallbacks.first_target_time(profile.deadline));
    let fallback = fallbacks.build()?.routes(&routes).events(events.clone());
    let retry = profile.retry.build()?.routes(&routes);
    let handles = AvailabilityView {
        breakers: breaker.handle(),
        limits: limit.handle(),
        budgets: retry.budgets(),
        fallbacks: fallback.fallbacks(),
        identity: identity.clone(),
        deadline: profile.deadline,
    };
    let hedge = match profile.hedge {
        Some(hedge) => hedge.budgets(retry.budgets()).build()?,
        None => HedgeLayer::measuring(),
    }
    .routes(&routes);
    let stack = ServiceBuilder::new()
        // Over everything that asks who calls.
        .option_layer(identity)
        // Sees everything: the span of the call, and its attempt log from the first step to the end of the body.
        .layer(TelemetryLayer::new().events(events.clone()))
        // Over everything that takes time, so that all of it shares one deadline.
        .layer(DeadlinePolicy::default().limit(profile.deadline).build()?.events(events.clone()))
        // Over the fallbacks: an answer that is there needs no fallback, and one attempt at the whole fallbacks serves all who ask
        // the same.
        .option_layer(cache)
        // Over retries: a fallback that still fails after its retries is given up for the next.
        .layer(fallback.latencies(hedge.latencies()))
        // Over retries: a second copy has its own, and where a fallback has equal targets it goes to another one.
        .layer(hedge.events(events.clone()))
        // Over the breaker: each attempt asks it again, and a refusal is not retried but moves down.
        .layer(retry.events(events.clone()))
        // Inside retries: each attempt goes to one of the fallback's equals. Over the breaker: each of them has its own.
        .layer(BalanceLayer::default().events(events.clone()))
        // Each attempt has its span, also one that the breaker refuses.
        .layer(AttemptSpanLayer::default())
        // Over the clock: an attempt that timed out is a failure of its route.
        .layer(breaker)
        // Over the clock, which starts after the queue; under the breaker, so that nobody waits for a route that is down.
        .layer(limit)
        // Over the reading of the answer: the first content and the whole body have to come in time.
        .layer(timeout.build()?.events(events))
        // Next to the wire: says what an attempt came to, and puts the guard on its body.
        .layer(profile.classify.build()?)
        .service(upstream);
    Ok((stack, handles))
}

/// The layer of the cache, where there is one. A fallback that gives stored answers needs it.
fn cache_layer(
    cache: Option<CachePolicy>,
    fallbacks: &FallbackPolicy,
    events: &EventSink,
) -> Result<Option<CacheLayer>, ConfigError> {
    match (cache, fallbacks.stored()) {
        (Some(cache), _) => {
            Ok(Some(cache.build()?.events(events.clone()).dialects(fallbacks.dialects())))
        }
        (None, None) => Ok(None),
        (None, Some((at, name))) => {
            let allowed =
                "a stored answer only with a cache: Client::builder().cache(CachePolicy::new())";
            Err(ConfigError::new(format!("fallbacks[{at}]"), name, allowed))
        }
    }
}
