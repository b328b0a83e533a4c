//! The order of the layers, outermost first.

mod view;

#[cfg(test)]
mod tests;

use tower::ServiceBuilder;

pub(crate) use self::view::AvailabilityView;

use crate::{
    ConfigError, Upstream,
    amend::AmendLayer,
    balance::BalanceLayer,
    cache::{CacheLayer, CachePolicy},
    chaos::ChaosSlot,
    coding::{DecodeRequestLayer, RestoreRequestLayer},
    context::Routes,
    credentials::CredentialLayer,
    fallback::FallbackPolicy,
    hedge::HedgeLayer,
    identity::IdentityLayer,
    profile::Profile,
    provenance::Provenance,
    reasoning::ReasoningLayer,
    telemetry::{AttemptSpanLayer, EventSink, TelemetryLayer},
    time::Limit,
    timeout::DeadlinePolicy,
    upstream::ReadyInCall,
};

/// The optional parts of a client.
pub(crate) struct Parts {
    pub(crate) cache: Option<CachePolicy>,
    pub(crate) fallbacks: FallbackPolicy,
    pub(crate) identity: Option<IdentityLayer>,
    pub(crate) chaos: ChaosSlot,
}

/// The whole stack over an upstream, and the handles of its per-route state.
pub(crate) fn build<S: Upstream>(
    upstream: S,
    profile: Profile,
    Parts { cache, fallbacks, identity, chaos }: Parts,
    events: EventSink,
) -> Result<(impl Upstream, AvailabilityView), ConfigError> {
    profile.check()?;
    let fallbacks = if profile.waits { fallbacks.waiting_for_recovery() } else { fallbacks };
    fallbacks.check(Some(profile.deadline))?;
    let cache = cache_layer(cache, &fallbacks, &events)?;
    // One registry for all layers: an attempt looks its route up once.
    let routes = Routes::new();
    let breaker = profile.fitted_breaker().build()?.routes(&routes).events(events.clone());
    let limit = profile.limit.build()?.routes(&routes).events(events.clone());
    // A deadline that is set bounds the timeouts that are not: the first target has what the others do not reserve.
    let timeout = profile.timeout.within(fallbacks.first_target_time(profile.deadline));
    // Another target answers in time: there a call need not wait until a model is loaded.
    let cold_start = profile.cold_start.filter(|_| !fallbacks.asks_again()).map(Limit::time);
    let deadline = DeadlinePolicy::default().limit(profile.deadline).cold_start(cold_start);
    let memory = Provenance::new();
    let fallback = fallbacks.build()?.routes(&routes).provenance(&memory).events(events.clone());
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
        // Above all layers that read a request: it is decoded once.
        .layer(DecodeRequestLayer::default())
        // Above all layers that need the identity of the caller.
        .option_layer(identity)
        // Above everything: the span of the call, and its attempt log from the first step to the end of the body.
        .layer(TelemetryLayer::new().events(events.clone()))
        // Above everything that takes time, so that all of it shares one deadline.
        .layer(deadline.build()?.events(events.clone()))
        // Above the fallbacks: a stored answer needs none, and one attempt over all fallbacks serves all equal calls.
        .option_layer(cache)
        // Above retries: the next fallback is tried when one still fails after its retries.
        .layer(fallback.latencies(hedge.latencies()))
        // Above retries: a second copy has its own, and with a group of targets it goes to another one.
        .layer(hedge.events(events.clone()))
        // Above the breaker: each attempt asks it again, and a refusal is not retried but moves down.
        .layer(retry.events(events.clone()))
        // Below retries: each attempt goes to one of the equal targets. Above the breaker: each target has its own.
        .layer(BalanceLayer::default().events(events.clone()))
        // Below the balance: what is changed depends on the target. Above the breaker: a second request is an attempt.
        .layer(AmendLayer::new().events(events.clone()))
        // Below the balance: what is removed depends on the target. Above the breaker: a second request is an attempt.
        .layer(ReasoningLayer::new(memory).events(events.clone()))
        // Each attempt has a span, even if the breaker refuses it.
        .layer(AttemptSpanLayer::default())
        // Above the timeouts: an attempt that timed out is a failure of its route.
        .layer(breaker)
        // Above the timeouts, which start after the queue; below the breaker, so that no call waits for a route that is open.
        .layer(limit)
        // Above classification: the first content and the whole body have to arrive in time.
        .layer(timeout.build()?.events(events.clone()))
        // Next to the transport: classifies an attempt, and wraps its body in the guard.
        .layer(profile.classify.build()?.events(events.clone()))
        // Below all layers that change a request: what is unchanged is sent as it came.
        .layer(RestoreRequestLayer::default())
        // On what is really sent: a signature is over its bytes. Within the time of the attempt.
        .layer(CredentialLayer::default().events(events.clone()))
        // Directly above the transport: all that guards an attempt is exercised.
        .option_layer(chaos.layer(&events)?)
        // A transport that is busy is waited for within the attempt.
        .service(ReadyInCall(upstream));
    Ok((stack, handles))
}

/// The layer of the cache, if there is one. A stored-answer fallback needs it.
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
