//! While a breaker is half-open and its provider hangs, callers wait hardly longer than for the second rung alone.

use std::time::Duration;

use evenkeel::{
    Client, Profile,
    fallback::{Fallback, FallbackPolicy, Target},
    retry::RetryPolicy,
    testkit::{Provider, Reply},
};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until};

use crate::support::{chat, ms, over, pair, read, secondary, secs};

fn spread() -> impl Iterator<Item = Reply> {
    (0..40_000_u64).map(|n| {
        let first = ms(300 + n * 7919 % 200);
        Reply::answer().words_per_event(60).first_content_after(first)
    })
}

fn profile() -> Profile {
    Profile::interactive().retry(RetryPolicy::default().seed(1))
}

/// The time of each call to its first content (or its whole answer), after the first minute.
async fn firsts(client: &Client, stream: bool, every: Duration, lasts: Duration) -> Vec<Duration> {
    let start = Instant::now();
    let count = (lasts.as_millis() / every.as_millis()) as u32;
    let calls = (0..count).map(|n| async move {
        sleep_until(start + n * every).await;
        let asked = Instant::now();
        let response = client.send(chat(stream)).await.unwrap();
        let first = asked.elapsed();
        let answer = read(response).await;
        assert!(answer.status == 200 && answer.error.is_none());
        (asked - start, first)
    });
    let all = join_all(calls).await;
    all.into_iter().filter(|(at, _)| *at >= secs(60)).map(|(_, first)| first).collect()
}

fn p99(mut firsts: Vec<Duration>) -> Duration {
    firsts.sort_unstable();
    firsts[firsts.len() * 99 / 100]
}

fn target(host: &str) -> Target {
    Target::new(format!("http://{host}/v1")).bearer("key")
}

async fn ratio(ladder: FallbackPolicy, stream: bool, every: Duration) -> f64 {
    let lasts = if every > ms(500) { secs(2400) } else { secs(400) };
    let (primary, second) = pair();
    let (second, third) = (second.replies(spread()), Provider::new("third").always(Reply::hang()));
    primary.set(Reply::hang());
    let builder = Client::builder().profile(profile()).ladder(ladder);
    let client = over(builder, [&primary, &second, &third]);
    let with = p99(firsts(&client, stream, every, lasts).await);
    assert!(primary.count() >= 5, "it was probed: {}", primary.count());
    let second = Provider::new("secondary").replies(spread());
    let alone = Client::builder().profile(profile());
    let alone = over(alone.ladder(FallbackPolicy::new().first(secondary())), [&second]);
    let without = p99(firsts(&alone, stream, every, lasts).await);
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!("stream {stream}, every {every:?}: {with:?} to {without:?}: {ratio:.3}");
    ratio
}

async fn holds(ladder: impl Fn() -> FallbackPolicy) {
    let mut missed = Vec::new();
    for stream in [true, false] {
        for every in [secs(1), ms(50)] {
            let ratio = ratio(ladder(), stream, every).await;
            if ratio > 1.2 {
                missed.push((stream, every, ratio));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn with_a_second_rung() {
    holds(|| FallbackPolicy::new().rung(secondary())).await;
}

#[tokio::test(start_paused = true)]
async fn with_a_canned_reply_below() {
    holds(|| FallbackPolicy::new().rung(secondary()).rung(Fallback::canned("busy"))).await;
}

#[tokio::test(start_paused = true)]
async fn with_equal_targets_first() {
    holds(|| {
        FallbackPolicy::new().primaries([target("primary"), target("third")]).rung(secondary())
    })
    .await;
}
