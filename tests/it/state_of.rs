//! A client that keeps the state of another one: what is kept, what changes, and what is forgotten. Paused clock.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, ConfigError, Profile,
    breaker::{BreakerPolicy, CircuitState},
    cache::CachePolicy,
    context::Route,
    fallback::{Fallback, Target},
    hedge::HedgePolicy,
    limit::{AdaptivePolicy, Concurrency, LimitPolicy},
    retry::RetryPolicy,
};
use evenkeel_testkit::{Hosts, Provider, Reply};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use crate::support::{
    Call, EventLog, any_call, any_reply, call, chat, check_property, in_virtual_time, ms, over,
    pair, secondary, secs, state_of, with_body, with_deadline,
};

fn quick() -> Profile {
    let breaker = BreakerPolicy::default().consecutive_failures(1).jitter(0.0);
    Profile::interactive().breaker(breaker).retry(RetryPolicy::new().retries(0))
}

fn limited(calls: u32) -> Profile {
    quick().limit(LimitPolicy::new().concurrency(Concurrency::Fixed(calls)))
}

/// The same routes, breakers and limits, as text.
fn seen(client: &Client) -> String {
    let mut lines: Vec<_> = client
        .breakers()
        .list()
        .into_iter()
        .map(|(route, it)| {
            // An instant is another one in each run.
            let since = it.since.elapsed();
            let numbers = (it.share, it.failure_ratio, it.slow_ratio, it.calls, it.probes);
            let state = (it.state, it.opened_by, it.reason, it.consecutive_failures, it.probe_in);
            format!("{route} {state:?} {numbers:?} since {since:?}")
        })
        .chain(client.limits().list().into_iter().map(|it| format!("{it:?}")))
        .collect();
    lines.sort();
    lines.join("\n")
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_stays_open_until_the_same_instant_and_both_clients_show_it() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let builder = || Client::builder().profile(quick()).fallback(secondary());
    let old = over(builder(), [&primary, &second]);
    call(&old, chat(false)).await.unwrap();
    sleep(secs(2)).await;
    let before = seen(&old);
    let new = over(builder().state_of(&old), [&primary, &second]);
    assert_eq!((seen(&new), seen(&old)), (before.clone(), before));
    let back = new.availability(&new.routes_of(&chat(false))[0]).back_in();
    assert_eq!((back, state_of(&new, "primary")), (Some(secs(3)), CircuitState::Open));
    call(&new, chat(false)).await.unwrap().is_whole();
    assert_eq!((primary.count(), second.count()), (1, 2), "the new one asks no open route");
    let route = old.routes_of(&chat(false)).remove(0);
    new.breakers().force_closed(&route);
    assert_eq!(state_of(&old, "primary"), CircuitState::ForcedClosed);
}

#[tokio::test(start_paused = true)]
async fn new_thresholds_apply_to_the_old_state_and_in_the_old_client() {
    let primary = Provider::new("primary").always(Reply::status(503));
    let old = over(Client::builder().profile(quick()), [&primary]);
    let lenient = quick().breaker(BreakerPolicy::default().consecutive_failures(3).jitter(0.0));
    let new = over(Client::builder().profile(lenient).state_of(&old), [&primary]);
    call(&old, chat(false)).await.unwrap();
    call(&new, chat(false)).await.unwrap();
    assert_eq!(state_of(&old, "primary"), CircuitState::Closed, "three are allowed now");
    call(&old, chat(false)).await.unwrap();
    assert_eq!(state_of(&new, "primary"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_on_the_old_client_end_and_return_their_permits_to_the_new_limit() {
    let primary = Provider::new("primary").always(Reply::answer().head_after(secs(3)));
    let old = over(Client::builder().profile(limited(3)), [&primary]);
    let spawn = |client: &Client| {
        let client = client.clone();
        tokio::spawn(async move { call(&client, chat(false)).await })
    };
    let calls: Vec<_> = (0..3).map(|_| spawn(&old)).collect();
    sleep(secs(1)).await;
    let new = over(Client::builder().profile(limited(1)).state_of(&old), [&primary]);
    drop(old);
    let later = [spawn(&new), spawn(&new)];
    sleep(secs(1)).await;
    let shown = || new.limits().list().remove(0).1;
    assert_eq!((shown().in_flight, shown().waiting, shown().concurrency), (3, 2, Some(1)));
    for call in calls {
        call.await.unwrap().unwrap().is_whole();
    }
    sleep(ms(1)).await;
    assert_eq!((shown().in_flight, shown().waiting), (1, 1), "one at a time now");
    for call in later {
        call.await.unwrap().unwrap().is_whole();
    }
    assert_eq!(shown().in_flight, 0);
    let calls = new.breakers().list().remove(0).1.calls;
    assert_eq!((calls, primary.count()), (5, 5), "all reported to the same breaker");
}

#[tokio::test(start_paused = true)]
async fn a_raised_limit_lets_waiting_calls_of_the_old_client_go_at_once() {
    let primary = Provider::new("primary").always(Reply::answer().head_after(secs(3)));
    let old = over(Client::builder().profile(limited(1)), [&primary]);
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let client = old.clone();
            tokio::spawn(async move { call(&client, chat(false)).await })
        })
        .collect();
    sleep(ms(10)).await;
    assert_eq!(primary.count(), 1);
    let new = over(Client::builder().profile(limited(4)).state_of(&old), [&primary]);
    sleep(ms(10)).await;
    assert_eq!((primary.count(), new.limits().list()[0].1.in_flight), (4, 4));
    for call in calls {
        call.await.unwrap().unwrap().is_whole();
    }
}

#[cfg(feature = "cache")]
#[tokio::test(start_paused = true)]
async fn stored_answers_are_still_served_and_a_named_store_is_used_as_it_is() {
    use evenkeel::cache::Memory;

    let primary = Provider::new("primary");
    let builder = |cache| {
        Client::builder().profile(quick()).cache(cache).fallback(Fallback::stored(secs(3600)))
    };
    let old = over(builder(CachePolicy::new()), [&primary]);
    call(&old, chat(false)).await.unwrap().is_whole();
    let new = over(builder(CachePolicy::new()).state_of(&old), [&primary]);
    let named = CachePolicy::with_store(Memory::default());
    let other = over(builder(named).state_of(&old), [&primary]);
    primary.set(Reply::status(503));
    call(&new, chat(false)).await.unwrap().is_whole();
    assert!(call(&other, chat(false)).await.is_err(), "its own store is empty");
}

#[tokio::test(start_paused = true)]
async fn spent_retries_stay_spent() {
    let primary = Provider::new("primary").always(Reply::status(503));
    let retrying = |reserve| {
        let retry = RetryPolicy::new().retries(5).base(ms(1)).budget_reserve(reserve);
        let breaker = BreakerPolicy::default().consecutive_failures(None).failure_ratio(None);
        Client::builder().profile(Profile::interactive().breaker(breaker).retry(retry))
    };
    let mut client = over(retrying(4), [&primary]);
    for _ in 0..5 {
        client = over(retrying(4).state_of(&client), [&primary]);
        call(&client, chat(false)).await.unwrap();
    }
    // Five first attempts, the reserve of four and a fifth of a token for each first attempt.
    assert!((9..=10).contains(&primary.count()), "{}", primary.count());
}

#[tokio::test(start_paused = true)]
async fn the_routes_of_a_target_that_is_gone_are_forgotten_and_no_others() {
    let (primary, second) = pair();
    [&primary, &second].iter().for_each(|provider| provider.set(Reply::status(503)));
    let builder = || Client::builder().profile(quick());
    let old = over(builder().fallback(secondary()), [&primary, &second]);
    call(&old, chat(false)).await.unwrap();
    assert_eq!(old.breakers().list().len(), 2);
    let new = over(builder().state_of(&old), [&primary, &second]);
    let left: Vec<_> = new.breakers().list().into_iter().map(|(route, _)| route).collect();
    assert_eq!(left.iter().map(Route::provider).collect::<Vec<_>>(), ["primary"]);
    assert!(new.limits().list().iter().all(|(route, _)| route.provider() == "primary"));
    let again = over(builder().fallback(secondary()).state_of(&new), [&primary, &second]);
    second.set(Reply::answer());
    call(&again, chat(false)).await.unwrap().is_whole();
}

#[tokio::test(start_paused = true)]
async fn a_build_that_fails_changes_nothing() {
    let primary = Provider::new("primary").always(Reply::status(503));
    let old = over(Client::builder().profile(quick()), [&primary]);
    let lenient = quick().breaker(BreakerPolicy::default().consecutive_failures(9));
    let wrong: [fn(ClientBuilder) -> ClientBuilder; 3] = [
        |builder| builder.fallback(Fallback::stored(secs(1))),
        |builder| builder.profile(quick().deadline(Duration::ZERO)),
        |builder| builder.profile(quick().hedge(HedgePolicy::new().quantile(2.0))),
    ];
    for make in wrong {
        let builder = make(Client::builder().profile(lenient.clone()));
        let built: Result<Client, ConfigError> =
            builder.state_of(&old).build_with(Hosts::new([primary.clone()]));
        assert!(built.is_err());
    }
    call(&old, chat(false)).await.unwrap();
    assert_eq!(state_of(&old, "primary"), CircuitState::Open, "still one failure");
}

#[tokio::test(start_paused = true)]
async fn events_go_to_the_listeners_of_the_client_that_was_built_last() {
    let primary = Provider::new("primary").always(Reply::status(503));
    let (first, last) = (EventLog::default(), EventLog::default());
    let old = over(first.attach_to(Client::builder().profile(quick())), [&primary]);
    let new = over(last.attach_to(Client::builder().profile(quick())).state_of(&old), [&primary]);
    call(&new, chat(false)).await.unwrap();
    assert_eq!(first.events().len(), 0);
    assert!(!last.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rebuilds_take_no_more_room_than_one() {
    let (primary, second) = pair();
    let build = |at: u32, before: Option<&Client>| {
        let hedge = (at % 2 == 0).then(HedgePolicy::new);
        let profile = hedge.into_iter().fold(quick(), Profile::hedge);
        let builder = Client::builder().profile(profile).fallback(secondary());
        over(before.into_iter().fold(builder, ClientBuilder::state_of), [&primary, &second])
    };
    let mut client = build(0, None);
    for at in 1..100 {
        call(&client, chat(true)).await.unwrap().is_whole();
        client = build(at, Some(&client));
    }
    let (breakers, limits) = (client.breakers().list(), client.limits().list());
    assert_eq!((breakers.len(), limits.len()), (1, 1));
    assert_eq!(breakers[0].1.calls, 99);
}

/// Everything that can be seen of some calls, with rebuilds after some of them.
fn play(replies: &[Reply], calls: &[(Call, bool)], rebuild: bool) -> Vec<String> {
    in_virtual_time(async {
        // The jitter of breakers and limits.
        fastrand::seed(7);
        let (primary, second) = pair();
        let primary = primary.replies(replies.iter().cloned());
        let wait = || std::iter::repeat(ms(50));
        let retry = RetryPolicy::new().retries(2).schedule(wait);
        let limit = LimitPolicy::new().concurrency(Concurrency::Fixed(4)).requests(600);
        let profile = Profile::interactive().retry(retry).limit(limit);
        let builder = || {
            let builder = Client::builder().profile(profile.clone()).fallback(secondary());
            let equals = ["north", "south"].map(|host| {
                Target::new(format!("http://{host}/v1")).bearer("a key").model("third")
            });
            builder.fallback(Fallback::targets(equals)).cache(CachePolicy::new())
        };
        let hosts = ["north", "south"].map(Provider::new);
        let all = [&primary, &second, &hosts[0], &hosts[1]];
        let mut client = over(builder(), all);
        let (start, mut seen_so_far) = (Instant::now(), Vec::new());
        for (at, (one, rebuilds)) in calls.iter().enumerate() {
            sleep(one.after).await;
            let body =
                format!(r#"{{"model":"m","stream":{},"n":{},"messages":[]}}"#, one.stream, at % 3);
            let request = with_body(body);
            let request = match one.deadline {
                Some(deadline) => with_deadline(request, deadline),
                None => request,
            };
            let leaves = one.leaves.unwrap_or(secs(3600));
            let answer = tokio::time::timeout(leaves, call(&client, request)).await;
            let answer = answer.map(|it| it.map(|it| (it.status, it.words(), it.error.is_some())));
            let counts = all.map(Provider::count);
            seen_so_far.push(format!(
                "{answer:?} {counts:?} {:?}\n{}",
                start.elapsed(),
                seen(&client)
            ));
            if rebuild && *rebuilds {
                client = over(builder().state_of(&client), all);
            }
        }
        seen_so_far
    })
}

#[test]
fn law_a_rebuild_with_an_equal_configuration_changes_nothing_that_can_be_seen() {
    let calls = prop::collection::vec((any_call(), any::<bool>()), 1..25);
    let replies = prop::collection::vec(any_reply(), 0..40);
    check_property(48, (replies, calls), |(replies, calls)| {
        let (plain, rebuilt) = (play(&replies, &calls, false), play(&replies, &calls, true));
        for (at, (plain, rebuilt)) in plain.iter().zip(&rebuilt).enumerate() {
            prop_assert_eq!(plain, rebuilt, "call {}", at);
        }
        Ok(())
    });
}

/// One of several configurations, which differ in everything that a kept state has.
fn configuration(nth: usize) -> ClientBuilder {
    let adaptive = AdaptivePolicy::default().initial(2).max(3);
    let limits = [
        LimitPolicy::new(),
        LimitPolicy::new().concurrency(Concurrency::Fixed(1)).requests(30),
        LimitPolicy::new().concurrency(Concurrency::Adaptive(adaptive)).tokens(10_000),
        LimitPolicy::new().concurrency(Concurrency::Fixed(6)).max_queue(0),
    ];
    let breakers = [
        BreakerPolicy::default(),
        BreakerPolicy::default().consecutive_failures(1).window(secs(3)).ramp(Duration::ZERO, 1.0),
        BreakerPolicy::default().failure_ratio(0.1).min_calls(2).max_probes(4),
    ];
    let retry = RetryPolicy::new().retries(nth as u32 % 4).budget_reserve(1 + nth as u32 % 7);
    let profile = Profile::interactive()
        .limit(limits[nth % 4].clone())
        .breaker(breakers[nth % 3].clone())
        .retry(retry);
    let hedge = (nth % 2 == 0).then(HedgePolicy::new);
    let builder = Client::builder().profile(hedge.into_iter().fold(profile, Profile::hedge));
    let equals = ["north", "south", "primary"]
        .into_iter()
        .take(1 + nth % 3)
        .map(|host| Target::new(format!("http://{host}/v1")).bearer("a key").model("third"));
    let builder = if nth % 5 == 0 { builder } else { builder.fallback(secondary()) };
    builder.fallback(Fallback::targets(equals).named("equals"))
}

#[test]
fn law_whatever_changes_every_call_ends_and_every_permit_comes_back() {
    let step = (any_call(), 0..60_usize);
    let steps = prop::collection::vec(step, 1..25);
    let replies = prop::collection::vec(any_reply(), 0..40);
    check_property(48, (replies, steps), |(replies, steps)| {
        in_virtual_time(async {
            let (primary, second) = pair();
            let hosts = ["north", "south"].map(Provider::new);
            let primary = primary.replies(replies.clone());
            let all = [&primary, &second, &hosts[0], &hosts[1]];
            let mut client = over(configuration(0), all);
            let mut calls = Vec::new();
            for (one, nth) in steps {
                sleep(one.after.min(secs(2))).await;
                let (sender, stream) = (client.clone(), one.stream);
                let leaves = one.leaves.unwrap_or(secs(3600));
                calls.push(tokio::spawn(async move {
                    let answer = call(&sender, chat(stream));
                    tokio::time::timeout(leaves, answer).await.is_ok()
                }));
                client = over(configuration(nth).state_of(&client), all);
            }
            for call in calls {
                prop_assert!(call.await.is_ok(), "a call panicked");
            }
            // A copy that has lost may still be ending.
            sleep(secs(60)).await;
            for (route, shown) in client.limits().list() {
                prop_assert_eq!((shown.in_flight, shown.waiting), (0, 0), "{}", route);
            }
            for (route, shown) in client.breakers().list() {
                prop_assert_eq!(shown.probes, 0, "{}", route);
            }
            Ok(())
        })
    });
}
