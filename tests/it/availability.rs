//! The availability of a route and of a request, queried before a call is made. Paused clock.

use evenkeel::{
    Availability, Client, Profile,
    breaker::{BreakerPolicy, CircuitState},
    context::Route,
    fallback::{Fallback, FallbackOn, FallbackPolicy, Target},
    limit::{Concurrency, LimitPolicy},
    retry::RetryPolicy,
};
use evenkeel_testkit::{Provider, Reply};
use std::time::Duration;
use tokio::time::sleep;

use crate::support::{EventLog, call, chat, ms, over, pair, secondary, secs, with_deadline};

fn quick() -> Profile {
    let breaker = BreakerPolicy::default().consecutive_failures(1).jitter(0.0);
    Profile::interactive().breaker(breaker).retry(RetryPolicy::new().retries(0))
}

fn back(availability: Availability) -> Duration {
    availability.back_in().unwrap_or_else(|| panic!("{availability:?}"))
}

#[tokio::test(start_paused = true)]
async fn an_unused_route_is_available_and_a_query_creates_no_route() {
    let provider = Provider::new("primary");
    let client = over(Client::builder(), [&provider]);
    assert_eq!(client.availability_of(&chat(true)), Availability::Clear);
    assert_eq!(client.availability(&Route::new("nobody", "m", "-")), Availability::Clear);
    let [route] = &client.routes_of(&chat(true))[..] else { panic!("one fallback") };
    assert_eq!((route.provider(), route.model()), ("primary", "m"));
    assert!(client.breakers().list().is_empty() && client.limits().list().is_empty());
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(client.breakers().list()[0].0, *route, "it is the one that calls take");
    assert_eq!(client.availability(route), Availability::Clear);
}

#[tokio::test(start_paused = true)]
async fn availability_follows_all_states_of_a_breaker_and_changes_none() {
    let (provider, log) =
        (Provider::new("primary").replies([Reply::status(503)]), EventLog::default());
    let client = over(log.attach_to(Client::builder().profile(quick())), [&provider]);
    call(&client, chat(true)).await.unwrap();
    assert_eq!(back(client.availability_of(&chat(true))), secs(5));
    sleep(secs(2)).await;
    assert_eq!(back(client.availability_of(&chat(false))), secs(3));
    // Two seconds after a probe is due: without calls for longer than a recovery takes, one probe would close it.
    sleep(secs(5)).await;
    log.clear();
    for _ in 0..100 {
        let Availability::Degraded { share, .. } = client.availability_of(&chat(true)) else {
            panic!()
        };
        assert_eq!(share, 0.0, "only probes");
    }
    assert_eq!((log.events().len(), provider.count()), (0, 1), "nothing was done");
    for _ in 0..2 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    let Availability::Degraded { share, .. } = client.availability_of(&chat(true)) else {
        panic!()
    };
    assert!((0.09..0.2).contains(&share), "{share}");
    sleep(secs(21)).await;
    assert_eq!(client.availability_of(&chat(true)), Availability::Clear);
    let route = &client.routes_of(&chat(true))[0];
    client.breakers().force_open(route);
    let availability = client.availability(route);
    assert!(availability.is_unavailable() && availability.back_in().is_none(), "{availability:?}");
}

#[tokio::test(start_paused = true)]
async fn availability_includes_the_limits() {
    let provider = Provider::new("primary").replies([Reply::rate_limited(Some(secs(60)))]);
    let client = over(Client::builder().profile(quick()), [&provider]);
    call(&client, chat(true)).await.unwrap();
    assert_eq!(back(client.availability_of(&chat(true))), secs(60));
    sleep(secs(61)).await;
    assert_eq!(client.availability_of(&chat(true)), Availability::Clear);

    let provider = Provider::new("primary").always(Reply::hang());
    let limit = LimitPolicy::new().concurrency(Concurrency::Fixed(1)).max_queue(1);
    let client = over(Client::builder().profile(quick().limit(limit)), [&provider]);
    let calls: Vec<_> = (0..3)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move {
                sleep(ms(n)).await;
                let _ = call(&client, chat(true)).await;
            })
        })
        .collect();
    assert_eq!(client.availability_of(&chat(true)), Availability::Clear);
    sleep(ms(1)).await;
    assert!(matches!(
        client.availability_of(&chat(true)),
        Availability::Degraded { share: 1.0, .. }
    ));
    sleep(ms(5)).await;
    assert!(client.availability_of(&chat(true)).is_unavailable(), "the queue is full");
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn a_wait_longer_than_the_deadline_means_unavailable() {
    let provider = Provider::new("primary");
    let limit = LimitPolicy::new().requests(6).burst(Duration::ZERO);
    let client = over(Client::builder().profile(quick().limit(limit)), [&provider]);
    call(&client, chat(true)).await.unwrap().is_whole();
    let Availability::Degraded { wait, .. } = client.availability_of(&chat(true)) else { panic!() };
    assert!((secs(9)..=secs(10)).contains(&wait), "{wait:?}");
    let hurried = with_deadline(chat(true), secs(5));
    assert_eq!(back(client.availability_of(&hurried)), wait);
}

#[tokio::test(start_paused = true)]
async fn a_target_below_means_degraded_and_a_canned_reply_means_unavailable() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let builder = Client::builder().profile(quick()).fallback(secondary());
    let client = over(builder.fallback(Fallback::canned("busy")), [&primary, &second]);
    assert_eq!(client.routes_of(&chat(true)).len(), 2);
    call(&client, chat(true)).await.unwrap().is_whole();
    let availability = client.availability_of(&chat(true));
    assert!(matches!(availability, Availability::Degraded { share: 0.0, .. }), "{availability:?}");
    second.set(Reply::status(503));
    sleep(secs(1)).await;
    call(&client, chat(true)).await.unwrap();
    assert_eq!(back(client.availability_of(&chat(true))), secs(4), "the first that is back");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_for_other_failures_does_not_count_for_an_unavailable_target() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let builder =
        Client::builder().profile(quick()).fallback(secondary().on([FallbackOn::TooLarge]));
    let client = over(builder, [&primary, &second]);
    call(&client, chat(true)).await.unwrap();
    assert!(client.availability_of(&chat(true)).is_unavailable());
}

#[tokio::test(start_paused = true)]
async fn the_best_of_equal_targets_counts() {
    let (primary, second) = pair();
    let target = |host: &str| Target::new(format!("http://{host}/v1")).bearer("key");
    let fallbacks = FallbackPolicy::new().primaries([target("primary"), target("secondary")]);
    let profile = quick().retry(RetryPolicy::new().retries(1));
    let client =
        over(Client::builder().profile(profile).fallback_policy(fallbacks), [&primary, &second]);
    let routes = client.routes_of(&chat(true));
    assert_eq!(routes.iter().map(Route::provider).collect::<Vec<_>>(), ["primary", "secondary"]);
    primary.set(Reply::status(503));
    for _ in 0..6 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    assert!(
        client.availability(&routes[0]).is_unavailable()
            && client.availability(&routes[1]).is_clear()
    );
    assert_eq!(client.availability_of(&chat(true)), Availability::Clear);
    second.set(Reply::status(503));
    call(&client, chat(true)).await.unwrap();
    assert!(client.availability_of(&chat(true)).is_unavailable());
    let states = client.breakers().list();
    assert!(states.iter().all(|(_, shown)| shown.state == CircuitState::Open));
}
