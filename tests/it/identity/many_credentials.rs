//! More credentials than the bounded tables can hold.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use evenkeel::{
    Availability, Body, Error, Response,
    breaker::{Breakers, CircuitState},
    context::Route,
    hedge::HedgePolicy,
};
use http_body_util::BodyExt;

use super::*;

use crate::support::{ms, secs, without_retries};

/// The number of attempts on a provider that is down, for a number of calls, ten a second, each with the key from `key`.
async fn attempts(calls: usize, key: impl Fn(usize) -> String) -> u64 {
    let provider = down();
    let client = client(&provider);
    for n in 0..calls {
        call(&client, bearer(&key(n))).await.ok();
        tokio::time::advance(ms(100)).await;
    }
    provider.count()
}

/// The number of attempts for calls with `keys` keys, and for the same number of calls with one key.
async fn compare(keys: usize, each: usize) -> [u64; 2] {
    let many = attempts(each * keys, |n| format!("k-{}", n % keys)).await;
    [many, attempts(each * keys, |_| "k".into()).await]
}

/// The attempts until routes without history detect an outage: eight calls, with all their attempts.
const NOTICED: u64 = 8 * 3;

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_asked_by_many_keys_as_by_one() {
    for keys in [1_000, 1_100, 6_000] {
        let [many, one] = compare(keys, 2).await;
        assert!(many <= NOTICED + one * 3 / 2, "{keys} keys: {many} attempts, {one} with one");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_asked_no_more_than_twice_as_often_by_20_000_keys_as_by_one() {
    let [many, one] = compare(20_000, 1).await;
    assert!(many <= 2 * one, "{many} attempts, {one} with one key");
}

#[tokio::test(start_paused = true)]
#[ignore = "takes minutes in a debug build; run by hand"]
async fn a_provider_that_is_down_is_asked_no_more_than_twice_as_often_by_100_000_keys_as_by_one() {
    let [many, one] = compare(100_000, 1).await;
    assert!(many <= 2 * one, "{many} attempts, {one} with one key");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_not_evicted_by_junk_credentials() {
    let provider = Provider::new("primary").always(spent());
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    assert_eq!(status(&client, bearer("the-spent-one")).await, 429);
    provider.set(Reply::status(401));
    for n in 0..5_000 {
        assert_eq!(status(&client, bearer(&format!("junk-{n}"))).await, 401);
    }
    let sent = provider.count();
    assert_eq!(status(&client, bearer("the-spent-one")).await, 0, "it is still refused");
    assert_eq!(provider.count(), sent);
    let list = client.breakers().list();
    assert!(list.len() <= 4_096 + 1, "{}", list.len());
    assert_eq!(list.iter().filter(|(_, seen)| seen.state == CircuitState::Open).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_spent_is_not_refilled_by_junk_credentials() {
    let provider = down();
    let client = client(&provider);
    let route = client.routes_of(&bearer("the-spent-one")).remove(0);
    client.breakers().force_closed(&route);
    for _ in 0..40 {
        call(&client, bearer("the-spent-one")).await.ok();
    }
    provider.set(Reply::status(401));
    for n in 0..5_000 {
        call(&client, bearer(&format!("junk-{n}"))).await.ok();
    }
    provider.set(Reply::status(503));
    let sent = provider.count();
    for _ in 0..10 {
        call(&client, bearer("the-spent-one")).await.ok();
    }
    let extra = provider.count() - sent - 10;
    assert!(extra <= 3, "{extra} more than the first attempts");
}

#[tokio::test(start_paused = true)]
async fn routes_beyond_the_bound_are_not_opened_by_one_of_them() {
    // Every entry is taken by a key with an exhausted quota.
    let provider = Provider::new("primary").always(spent());
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    for n in 0..4_096 {
        assert_eq!(status(&client, bearer(&format!("spent-{n}"))).await, 429);
    }
    for reply in [spent(), Reply::status(401), Reply::status(429).header("retry-after", "3600")] {
        provider.set(reply);
        for n in 0..20 {
            let status = status(&client, bearer(&format!("over-{n}"))).await;
            assert!(status == 429 || status == 401, "{status}");
        }
    }
    provider.set(Reply::answer());
    assert_eq!(status(&client, bearer("one-more")).await, 200);
    assert_eq!(status(&client, bearer("spent-7")).await, 0);
    // An outage is detected by all of them together.
    provider.set(Reply::status(503));
    tokio::time::advance(secs(61)).await;
    let sent = provider.count();
    for n in 0..100 {
        call(&client, bearer(&format!("another-{n}"))).await.ok();
        tokio::time::advance(ms(100)).await;
    }
    assert!(provider.count() - sent <= 40, "{}", provider.count() - sent);
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_for_routes_beyond_the_bound_as_for_all() {
    let provider = Provider::new("primary").always(spent());
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    for n in 0..4_096 {
        assert_eq!(status(&client, bearer(&format!("spent-{n}"))).await, 429);
    }
    provider.set(Reply::status(503));
    tokio::time::advance(secs(61)).await;
    for n in 0..50 {
        call(&client, bearer(&format!("another-{n}"))).await.ok();
        tokio::time::advance(ms(100)).await;
    }
    let together = || {
        let list = client.breakers().list();
        list.into_iter().find(|(route, _)| route.credential() == "*")
    };
    let (route, seen) = together().expect("open for all");
    assert_ne!(seen.state, CircuitState::Closed);
    assert!(matches!(
        client.availability(&client.routes_of(&bearer("another-51"))[0]),
        Availability::Unavailable { .. }
    ));
    provider.set(Reply::answer());
    client.breakers().reset(&route);
    assert!(together().is_none());
    assert_eq!(
        client.availability(&client.routes_of(&bearer("another-51"))[0]),
        Availability::Clear
    );
    assert_eq!(status(&client, bearer("another-51")).await, 200);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_fails_for_all_keys_opens_no_route_of_chats() {
    let provider = down();
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    let vectors = |n: usize| {
        let mut request = bearer(&format!("k-{n}"));
        *request.uri_mut() = "http://primary/v1/embeddings".parse().unwrap();
        *request.body_mut() = r#"{"model":"m","input":"a"}"#.into();
        request
    };
    for n in 0..50 {
        client.send(vectors(n)).await.ok();
        tokio::time::advance(ms(100)).await;
    }
    let sent = provider.count();
    assert!(sent < 40, "{sent}: the other keys learn of it");
    let availability = |request: &Request| client.availability(&client.routes_of(request)[0]);
    assert!(
        availability(&vectors(49)).is_unavailable() && availability(&vectors(99)).is_unavailable()
    );
    assert_eq!(availability(&bearer("k-99")), Availability::Clear);
    provider.set(Reply::answer());
    assert_eq!(status(&client, bearer("k-99")).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_reset_is_asked_whatever_other_keys_met() {
    let provider = down();
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    for n in 0..50 {
        call(&client, bearer(&format!("k-{n}"))).await.ok();
        tokio::time::advance(ms(100)).await;
    }
    provider.set(Reply::answer());
    for key in ["k-1", "k-99"] {
        assert_eq!(status(&client, bearer(key)).await, 0, "{key}");
        client.breakers().reset(&client.routes_of(&bearer(key))[0]);
        assert_eq!(status(&client, bearer(key)).await, 200, "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_key_beyond_the_bound_fails_alone() {
    let provider = Provider::new("primary").always(spent());
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    for n in 0..4_096 {
        assert_eq!(status(&client, bearer(&format!("spent-{n}"))).await, 429);
    }
    provider.set(Reply::status(500));
    for _ in 0..100 {
        assert_eq!(status(&client, bearer("the-failing-one")).await, 500);
        tokio::time::advance(ms(200)).await;
    }
    provider.set(Reply::answer());
    assert_eq!(status(&client, bearer("its-neighbour")).await, 200);
}

#[tokio::test(start_paused = true)]
async fn an_operator_can_force_1024_routes_and_no_more() {
    let client = client(&Provider::new("primary"));
    let breakers = client.breakers();
    let route = |n: usize| Route::new("primary", "m", &format!("key-{n}"));
    assert!((0..Breakers::MAX_FORCED).all(|n| breakers.force_open(&route(n))));
    assert!(!breakers.force_open(&route(5_000)) && !breakers.force_closed(&route(5_000)));
    assert!(breakers.force_closed(&route(7)), "one that is forced already is forced otherwise");
    let state = |n: usize| {
        let list = breakers.list();
        list.into_iter().find(|(kept, _)| *kept == route(n)).map(|(_, seen)| seen.state)
    };
    // Neither time nor other routes evict it.
    tokio::time::advance(secs(3 * 3600)).await;
    (0..10_000).for_each(|n| drop(breakers.of(&Route::new("other", "m", &n.to_string()))));
    assert_eq!(breakers.list().len(), 4_096);
    assert_eq!(
        (state(7), state(8)),
        (Some(CircuitState::ForcedClosed), Some(CircuitState::ForcedOpen))
    );
    breakers.reset(&route(8));
    assert_eq!(state(8), Some(CircuitState::Closed));
    assert!(breakers.force_open(&route(5_000)), "there is room again");
    assert!(!breakers.force_open(&Route::new("primary", "m", "*")), "each by itself");
}

#[tokio::test(start_paused = true)]
async fn a_forced_route_beyond_the_bound_is_forced() {
    let provider = Provider::new("primary").always(spent());
    let client = over(Client::builder().profile(without_retries()), [&provider]);
    for n in 0..4_096 {
        assert_eq!(status(&client, bearer(&format!("spent-{n}"))).await, 429);
    }
    provider.set(Reply::answer());
    let route = client.routes_of(&bearer("another")).remove(0);
    assert!(client.breakers().force_open(&route));
    assert_eq!(status(&client, bearer("another")).await, 0);
    client.breakers().reset(&route);
    assert_eq!(status(&client, bearer("another")).await, 200);
}

/// One mebibyte.
const MIB: u64 = 1 << 20;

/// The bytes still allocated after all work has ended, without those of a listener.
fn bytes(work: impl FnOnce()) -> u64 {
    let _unheard = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    u64::try_from(allocation_counter::measure(work).bytes_current).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

#[test]
fn a_full_table_of_breakers_takes_no_more_memory_than_documented() {
    let runtime = runtime();
    let client = client(&Provider::new("primary"));
    let _entered = runtime.enter();
    let taken = bytes(|| {
        for n in 0..5_000 {
            let request = bearer(&format!("a key of some length {n}"));
            client.breakers().of(&client.routes_of(&request).remove(0));
        }
    });
    assert_eq!(client.breakers().list().len(), 4_096);
    assert!(taken < 8 * MIB, "{taken}");
}

/// Answers, with limits in its headers, until its quota is to be exhausted.
async fn limited(is_spent: bool) -> Result<Response, Error> {
    let body = match is_spent {
        true => r#"{"error":{"message":"gone","code":"insufficient_quota"}}"#,
        false => {
            r#"{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}"#
        }
    };
    let headers = ["limit", "remaining", "reset"].into_iter().zip(["500", "7", "60s"]);
    let mut response = http::Response::builder().header("content-type", "application/json");
    for (name, value) in headers {
        for kind in ["requests", "tokens"] {
            response = response.header(format!("x-ratelimit-{name}-{kind}"), value);
        }
    }
    Ok(response.status(if is_spent { 429 } else { 200 }).body(Body::from(body)).unwrap())
}

#[test]
fn all_tables_of_a_client_take_no_more_memory_than_documented() {
    let runtime = runtime();
    let is_spent = Arc::new(AtomicBool::new(false));
    let of = is_spent.clone();
    let upstream = tower::service_fn(move |_| limited(of.load(Ordering::Relaxed)));
    let hedged = Profile::interactive().hedge(HedgePolicy::new());
    let client = Client::builder().profile(hedged).build_with(upstream).unwrap();
    let calls = |of: std::ops::Range<usize>| {
        runtime.block_on(async {
            for n in of {
                let answer = client.send(bearer(&format!("a key of some length {n}"))).await;
                drop(answer.unwrap().into_body().collect().await);
            }
        });
    };
    // Each was answered, and then its quota was exhausted: every table has an entry for it.
    let full = bytes(|| {
        calls(0..4_096);
        is_spent.store(true, Ordering::Relaxed);
        calls(0..4_096);
    });
    let open = client.breakers().list();
    assert!(open.len() == 4_096 && open.iter().all(|(_, seen)| seen.state == CircuitState::Open));
    let more = bytes(|| calls(5_000..10_000));
    assert!(full < 24 * MIB, "{full}");
    assert!(more < MIB, "{more}");
}
