//! The order of the layers, outermost first.

mod layers;
mod view;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tower::ServiceBuilder;

pub(crate) use self::{layers::StatefulLayers, view::AvailabilityView};

use crate::{
    ConfigError, Upstream,
    balance::BalanceLayer,
    cache::CachePolicy,
    chaos::ChaosSlot,
    coding::{DecodeRequestLayer, RestoreRequestLayer},
    credentials::CredentialLayer,
    fallback::FallbackPolicy,
    identity::IdentityLayer,
    profile::Profile,
    reasoning::ReasoningLayer,
    telemetry::{AttemptSpanLayer, EventSink, TelemetryLayer},
    upstream::ReadyInCall,
};

/// The optional parts of a client.
pub(crate) struct Parts {
    pub(crate) cache: Option<CachePolicy>,
    pub(crate) fallbacks: FallbackPolicy,
    pub(crate) identity: Option<IdentityLayer>,
    /// The layers of the client whose state is kept.
    pub(crate) before: Option<Arc<StatefulLayers>>,
    pub(crate) chaos: ChaosSlot,
}

/// A stack, the handles of its per-route state, and the layers whose state another stack can keep.
pub(crate) struct Built<S> {
    pub(crate) stack: S,
    pub(crate) handles: AvailabilityView,
    pub(crate) layers: StatefulLayers,
}

/// The whole stack over an upstream, with the state of the layers `before` if there are some.
pub(crate) fn build<S: Upstream>(
    upstream: S,
    profile: Profile,
    Parts { cache, fallbacks, identity, before, chaos }: Parts,
    events: EventSink,
) -> Result<Built<impl Upstream>, ConfigError> {
    profile.check()?;
    let fallbacks = if profile.waits { fallbacks.waiting_for_recovery() } else { fallbacks };
    fallbacks.check(Some(profile.deadline))?;
    // A deadline that is set bounds the timeouts that are not: the first target has what the others do not reserve.
    let timeout = profile.timeout.clone().within(fallbacks.first_target_time(profile.deadline));
    let (timeout, classify) = (timeout.build()?, profile.classify.clone().build()?);
    let layers = StatefulLayers::new(&profile, &fallbacks, cache)?;
    // Nothing fails from here on: what is kept has the new settings already.
    let layers = match &before {
        Some(before) => layers.state_of(&profile, before)?,
        None => layers,
    };
    let StatefulLayers {
        memory,
        deadline,
        cache,
        fallback,
        hedge,
        retry,
        amend,
        breaker,
        limit,
        ..
    } = layers.clone();
    let (breaker, limit) = (breaker.events(events.clone()), limit.events(events.clone()));
    let fallback = fallback.events(events.clone());
    let handles = AvailabilityView {
        breakers: breaker.handle(),
        limits: limit.handle(),
        budgets: retry.budgets(),
        fallbacks: fallback.fallbacks(),
        identity: identity.clone(),
        deadline: profile.deadline,
    };
    let stack = ServiceBuilder::new()
        // Above all layers that read a request: it is decoded once.
        .layer(DecodeRequestLayer::default())
        // Above all layers that need the identity of the caller.
        .option_layer(identity)
        // Above everything: the span of the call, and its attempt log from the first step to the end of the body.
        .layer(TelemetryLayer::new().events(events.clone()))
        // Above everything that takes time, so that all of it shares one deadline.
        .layer(deadline.events(events.clone()))
        // Above the fallbacks: a stored answer needs none, and one attempt over all fallbacks serves all equal calls.
        .option_layer(cache.map(|cache| cache.events(events.clone())))
        // Above retries: the next fallback is tried when one still fails after its retries.
        .layer(fallback.latencies(hedge.latencies()))
        // Above retries: a second copy has its own, and with a group of targets it goes to another one.
        .layer(hedge.events(events.clone()))
        // Above the breaker: each attempt asks it again, and a refusal is not retried but moves down.
        .layer(retry.events(events.clone()))
        // Below retries: each attempt goes to one of the equal targets. Above the breaker: each target has its own.
        .layer(BalanceLayer::default().events(events.clone()))
        // Below the balance: what is changed depends on the target. Above the breaker: a second request is an attempt.
        .layer(amend.events(events.clone()))
        // Below the balance: what is removed depends on the target. Above the breaker: a second request is an attempt.
        .layer(ReasoningLayer::new(memory).events(events.clone()))
        // Each attempt has a span, even if the breaker refuses it.
        .layer(AttemptSpanLayer::default())
        // Above the timeouts: an attempt that timed out is a failure of its route.
        .layer(breaker)
        // Above the timeouts, which start after the queue; below the breaker, so that no call waits for a route that is open.
        .layer(limit)
        // Above classification: the first content and the whole body have to arrive in time.
        .layer(timeout.events(events.clone()))
        // Next to the transport: classifies an attempt, and wraps its body in the guard.
        .layer(classify.events(events.clone()))
        // Below all layers that change a request: what is unchanged is sent as it came.
        .layer(RestoreRequestLayer::default())
        // On what is really sent: a signature is over its bytes. Within the time of the attempt.
        .layer(CredentialLayer::default().events(events.clone()))
        // Directly above the transport: all that guards an attempt is exercised.
        .option_layer(chaos.layer(&events)?)
        // A transport that is busy is waited for within the attempt.
        .service(ReadyInCall(upstream));
    Ok(Built { stack, handles, layers })
}
