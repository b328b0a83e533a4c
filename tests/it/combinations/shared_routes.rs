//! Layers that keep the state of their routes in one registry.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use evenkeel::{
    Body, Error, Response, Upstream,
    breaker::{BreakerLayer, BreakerPolicy},
    context::{Route, Routes},
    fallback::{Fallback, FallbackPolicy},
    hedge::HedgePolicy,
    limit::{LimitLayer, LimitPolicy},
    outcome::Outcome,
    retry::RetryPolicy,
};
use tokio::time::{Instant, advance};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::{EventLog, chat, ms, secs, with_deadline};

/// Answers six of nine attempts, limits the rate of one and fails two; it is down from 20 to 50 s.
fn provider() -> impl Upstream {
    let (sent, started) = (Arc::<AtomicU32>::default(), Instant::now());
    service_fn(move |_| {
        let nth = sent.fetch_add(1, Ordering::Relaxed);
        async move {
            tokio::time::sleep(ms(u64::from(nth % 7) * 100)).await;
            match nth * 5 % 9 {
                _ if (20..50).contains(&started.elapsed().as_secs()) => {
                    Err(Error::new(Outcome::Unreachable))
                }
                0..6 => Ok(Response::new(Body::from("hello"))),
                6 => Err(Error::new(Outcome::RateLimited { wait: Some(ms(500)) })),
                _ => Err(Error::new(Outcome::Unreachable)),
            }
        }
    })
}

/// The results and events of 200 calls through all layers with state, each in the registry that it gets.
async fn played(routes: impl Fn() -> Routes) -> Vec<String> {
    fastrand::seed(7);
    let (log, started) = (EventLog::default(), Instant::now());
    let breaker = BreakerPolicy::default().build().unwrap().events(log.sink()).routes(&routes());
    let limit = LimitPolicy::new().requests(100).build().unwrap();
    let retry = RetryPolicy::new().build().unwrap().routes(&routes()).events(log.sink());
    let hedge = HedgePolicy::new().samples(5).budget_ratio(0.5).budgets(retry.budgets());
    let hedge = hedge.build().unwrap().events(log.sink()).routes(&routes());
    let fallbacks = FallbackPolicy::new().fallback(Fallback::wait_for_recovery()).build().unwrap();
    let layers = ServiceBuilder::new()
        .layer(fallbacks.events(log.sink()).routes(&routes()))
        .layer(hedge)
        .layer(retry)
        .layer(breaker)
        .layer(limit.events(log.sink()).routes(&routes()));
    let service = layers.service(provider());
    let mut all = Vec::new();
    for _ in 0..200 {
        let request = with_deadline(chat(false), secs(20));
        let result = service.clone().oneshot(request).await.map(|response| response.status());
        all.push(format!("{result:?} {:?}", started.elapsed()));
        advance(ms(300)).await;
    }
    all.extend(log.events().iter().map(|event| format!("{event:?}")));
    all
}

#[tokio::test(start_paused = true)]
async fn layers_that_share_a_registry_do_what_they_do_alone() {
    let alone = played(Routes::new).await;
    let one = Routes::new();
    let shared = played(|| one.clone()).await;
    assert!(alone.len() > 1_000, "{}", alone.len());
    assert!(alone.iter().any(|event| event.starts_with("BreakerChanged")));
    assert!(alone.iter().any(|event| event.starts_with("Hedged")));
    for (alone, shared) in alone.iter().zip(&shared) {
        assert_eq!(alone, shared);
    }
    assert_eq!(alone.len(), shared.len());
}

fn breaker_and_limit(routes: &Routes) -> (BreakerLayer, LimitLayer) {
    let breaker = BreakerPolicy::default().build().unwrap().routes(routes);
    (breaker, LimitPolicy::new().build().unwrap().routes(routes))
}

#[tokio::test(start_paused = true)]
async fn a_route_is_kept_while_one_of_the_layers_has_a_reason() {
    let routes = Routes::new();
    let (breaker, limit) = breaker_and_limit(&routes);
    let (breakers, limits) = (breaker.handle(), limit.handle());
    let outcome = Outcome::RateLimited { wait: Some(secs(500)) };
    let limited = service_fn(move |_| async move { Err::<Response, _>(Error::new(outcome)) });
    let service = ServiceBuilder::new().layer(breaker).layer(limit).service(limited);
    service.oneshot(chat(false)).await.unwrap_err();
    let route = breakers.list().remove(0).0;
    let junk = |breakers: &evenkeel::breaker::Breakers| {
        (0..5_000).for_each(|n| drop(breakers.of(&Route::new("other", "m", &n.to_string()))));
        breakers.list().iter().any(|(kept, _)| *kept == route)
    };
    // The failure has left the breaker's window, and the limits are closed.
    advance(secs(100)).await;
    assert!(junk(&breakers), "kept for the limits");
    assert!(limits.of(&route).unwrap().closed_for.is_some());
    advance(secs(500)).await;
    assert!(!junk(&breakers), "no layer has a reason");
    assert!(limits.of(&route).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_layer_lists_the_routes_of_its_own_calls_alone() {
    let routes = Routes::new();
    let (one, limit) = breaker_and_limit(&routes);
    let (other, _) = breaker_and_limit(&routes);
    let upstream = service_fn(|_| async { Ok::<_, Error>(Response::new(Body::from("hello"))) });
    let service = ServiceBuilder::new().layer(one.clone()).service(upstream);
    service.oneshot(chat(false)).await.unwrap();
    assert_eq!(one.handle().list().len(), 1);
    assert!(other.handle().list().is_empty() && limit.handle().list().is_empty());
}
