//! While a breaker is half-open and its provider hangs, callers wait little longer than for the second target alone.

use std::time::Duration;

use evenkeel::{
    Client, Profile,
    fallback::{Fallback, FallbackPolicy, Target},
    retry::RetryPolicy,
};
use evenkeel_testkit::{Provider, Reply};

use crate::support::{
    Answer, Calls, evenly_spread_replies, ms, over, pair, percentile_99, secondary, secs,
    times_to_first_content,
};

fn profile() -> Profile {
    Profile::interactive().retry(RetryPolicy::default().seed(1))
}

fn target(host: &str) -> Target {
    Target::new(format!("http://{host}/v1")).bearer("key")
}

async fn ratio(fallbacks: FallbackPolicy, stream: bool, every: Duration) -> f64 {
    let lasts = if every > ms(500) { secs(2400) } else { secs(400) };
    let calls = Calls { stream, every, lasts };
    let answered = |answer: &Answer| assert!(answer.status == 200 && answer.error.is_none());
    let (primary, second) = pair();
    let (second, third) = (
        second.replies(evenly_spread_replies(40_000)),
        Provider::new("third").always(Reply::hang()),
    );
    primary.set(Reply::hang());
    let builder = Client::builder().profile(profile()).fallback_policy(fallbacks);
    let client = over(builder, [&primary, &second, &third]);
    let with = percentile_99(times_to_first_content(&client, calls, answered).await);
    assert!(primary.count() >= 5, "it was probed: {}", primary.count());
    let second = Provider::new("secondary").replies(evenly_spread_replies(40_000));
    let alone = Client::builder().profile(profile());
    let alone = over(alone.fallback_policy(FallbackPolicy::new().first(secondary())), [&second]);
    let without = percentile_99(times_to_first_content(&alone, calls, answered).await);
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!("stream {stream}, every {every:?}: {with:?} to {without:?}: {ratio:.3}");
    ratio
}

async fn holds(fallbacks: impl Fn() -> FallbackPolicy) {
    let mut missed = Vec::new();
    for stream in [true, false] {
        for every in [secs(1), ms(50)] {
            let ratio = ratio(fallbacks(), stream, every).await;
            if ratio > 1.2 {
                missed.push((stream, every, ratio));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn half_open_callers_wait_hardly_longer_with_a_second_target() {
    holds(|| FallbackPolicy::new().fallback(secondary())).await;
}

#[tokio::test(start_paused = true)]
async fn half_open_callers_wait_hardly_longer_with_a_canned_reply_below() {
    holds(|| FallbackPolicy::new().fallback(secondary()).fallback(Fallback::canned("busy"))).await;
}

#[tokio::test(start_paused = true)]
async fn half_open_callers_wait_hardly_longer_with_equal_targets_first() {
    holds(|| {
        FallbackPolicy::new().primaries([target("primary"), target("third")]).fallback(secondary())
    })
    .await;
}
