//! Calls that wait for the recovery of a limit, a quota or a pool, and ten thousand of them.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use evenkeel::{
    Client, Profile,
    breaker::BreakerPolicy,
    fallback::{FallbackPolicy, Target},
    limit::{Concurrency, LimitPolicy},
    retry::RetryPolicy,
};
use evenkeel_testkit::{Provider, Reply};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::support::{call, chat, ms, over, pair, secs, with_deadline};

fn profile() -> Profile {
    let breaker = BreakerPolicy::default().consecutive_failures(1).jitter(0.0);
    Profile::pipeline().breaker(breaker).retry(RetryPolicy::new().retries(0))
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_of_a_minute_on_the_only_route_is_waited_out() {
    let provider = Provider::new("primary").replies([Reply::rate_limited(Some(secs(60)))]);
    let client = over(Client::builder().profile(profile()), [&provider]);
    let start = Instant::now();
    let calls = join_all((0..50).map(|_| call(&client, chat(true)))).await;
    calls.into_iter().for_each(|answer| answer.unwrap().is_whole());
    assert!(start.elapsed() < secs(80), "{:?}", start.elapsed());
    // All were sent before the first was answered; after that no attempt was sent in vain.
    assert!(provider.count() <= 52, "{}", provider.count());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_is_waited_for() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(ms(500)));
    let limit = LimitPolicy::new().concurrency(Concurrency::Fixed(2)).max_queue(4);
    let client = over(Client::builder().profile(profile().limit(limit)), [&provider]);
    let start = Instant::now();
    let calls = join_all((0..100).map(|_| call(&client, chat(false)))).await;
    calls.into_iter().for_each(|answer| answer.unwrap().is_whole());
    assert_eq!(provider.count(), 100);
    // Two at a time, half a second each: 25 s without lost time.
    assert!(start.elapsed() < secs(60), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_is_waited_for_as_long_as_there_is_time() {
    let provider = Provider::new("primary").replies([Reply::quota_exhausted()]);
    let client = over(Client::builder().profile(profile()), [&provider]);
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert!((secs(48)..secs(80)).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn equal_targets_that_are_all_ejected_are_waited_for() {
    let (primary, second) = pair();
    let down = |provider: Provider| provider.during(Duration::ZERO..secs(120), Reply::status(503));
    let (primary, second) = (down(primary), down(second));
    let target = |host: &str| Target::new(format!("http://{host}/v1")).bearer("key");
    let fallbacks = FallbackPolicy::new().primaries([target("primary"), target("secondary")]);
    let client =
        over(Client::builder().profile(profile()).fallback_policy(fallbacks), [&primary, &second]);
    let start = Instant::now();
    let calls = join_all((0..100).map(|_| call(&client, chat(true)))).await;
    calls.into_iter().for_each(|answer| answer.unwrap().is_whole());
    assert!((secs(120)..secs(220)).contains(&start.elapsed()), "{:?}", start.elapsed());
    let sent = primary.count() + second.count();
    assert!(sent <= 100 + 100 + 60, "{sent} attempts");
}

/// Ten thousand calls through an outage of ten minutes, and the total number of polls.
async fn many(limit: LimitPolicy) -> (usize, Duration) {
    const CALLS: usize = 10_000;
    let provider = Provider::new("primary").during(Duration::ZERO..secs(600), Reply::status(503));
    let client = over(Client::builder().profile(profile().limit(limit)), [&provider]);
    let (polls, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let calls: Vec<_> = (0..CALLS)
        .map(|n| {
            let (client, polls) = (client.clone(), polls.clone());
            tokio::spawn(async move {
                sleep(ms(n as u64)).await;
                let request = with_deadline(chat(false), secs(3600));
                let mut work = pin!(call(&client, request));
                let answer = std::future::poll_fn(|cx| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    work.as_mut().poll(cx)
                });
                answer.await.unwrap().is_whole();
            })
        })
        .collect();
    sleep(secs(500)).await;
    let while_out = polls.load(Ordering::Relaxed);
    println!("{while_out} polls of {CALLS} calls in 500 s, {} attempts", provider.count());
    assert!(while_out < CALLS * 12, "{while_out}");
    assert!(provider.count() <= 60, "{} attempts on a dead provider", provider.count());
    for work in calls {
        work.await.unwrap();
    }
    (polls.load(Ordering::Relaxed), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_wait_without_being_polled() {
    let (polls, took) = many(LimitPolicy::new()).await;
    println!("{polls} polls until all were answered after {took:?}");
    assert!(polls < 10_000 * 24 && took < secs(600 + 31 + 300), "{polls} {took:?}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_that_leave_are_forgotten() {
    let provider = Provider::new("primary").during(Duration::ZERO..secs(100), Reply::status(503));
    let client = over(Client::builder().profile(profile()), [&provider]);
    let calls: Vec<_> = (0..10_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client, chat(true)).await })
        })
        .collect();
    sleep(secs(50)).await;
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    join_all(calls).await;
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert!(start.elapsed() < secs(50 + 32), "{:?}", start.elapsed());
    assert!(
        client.limits().list().iter().all(|(_, shown)| shown.in_flight + shown.waiting as u32 == 0)
    );
}
