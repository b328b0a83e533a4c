//! A fallback that can answer does: what belongs to one attempt is seen by no other, and replies made here race nobody.
//! Virtual time.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, Profile,
    breaker::BreakerPolicy,
    ladder::Rung,
    limit::{Concurrency, LimitPolicy},
    retry::RetryPolicy,
    testkit::{Provider, Reply},
};
use tokio::time::{Instant, sleep};

use crate::scene::{Answer, call, chat, ms, over, pair, secondary, secs};

const SECOND: &str = "http://secondary/v1/chat/completions";

/// Breakers that open at the first failure, for five seconds; no retries.
fn profile() -> Profile {
    let breaker = BreakerPolicy::default().consecutive(1).jitter(0.0);
    Profile::interactive().breaker(breaker).retry(RetryPolicy::default().retries(0))
}

fn builder(profile: Profile) -> ClientBuilder {
    Client::builder().profile(profile).fallback(secondary())
}

/// Opens the breaker of the primary, which gives that reply from then on, and waits until the next call is its probe.
async fn half_open(client: &Client, primary: &Provider, reply: Reply) {
    primary.set(Reply::status(503));
    call(client, chat(true)).await.unwrap();
    primary.set(reply);
    sleep(secs(6)).await;
    primary.forget();
}

fn first_after(time: Duration) -> Reply {
    Reply::answer().words_per_event(60).first_content_after(time)
}

/// A call and how long its first content took.
async fn timed(client: &Client) -> (Answer, Duration) {
    let start = Instant::now();
    let response = client.send(chat(true)).await.unwrap();
    let took = start.elapsed();
    (crate::scene::read(response).await, took)
}

#[tokio::test(start_paused = true)]
async fn the_caller_of_a_hanging_probe_has_the_second_targets_answer_and_not_the_canned_one() {
    let (primary, second) = pair();
    let client = over(builder(profile()).fallback(Rung::canned("busy")), [&primary, &second]);
    half_open(&client, &primary, Reply::hang()).await;
    second.set(first_after(ms(1500)));
    second.forget();
    let (answer, took) = timed(&client).await;
    assert_eq!(answer.from(), "secondary", "{:?}", answer.journey);
    assert!((ms(1500)..=ms(2100)).contains(&took), "{took:?}");
    assert_eq!((primary.count(), second.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_caller_of_a_hanging_probe_waits_its_turn_at_the_second_target() {
    let (primary, second) = pair();
    let limited = profile().limit(LimitPolicy::default().concurrency(Concurrency::Fixed(1)));
    let client = over(builder(limited).fallback(Rung::canned("busy")), [&primary, &second]);
    half_open(&client, &primary, Reply::hang()).await;
    // The one place at the second target is taken for a second from the start of the probe.
    second.set(first_after(secs(1)));
    let other = tokio::spawn({
        let client = client.clone();
        async move { call(&client, second_of(chat(true))).await }
    });
    tokio::task::yield_now().await;
    second.set(first_after(ms(1500)));
    let (answer, took) = timed(&client).await;
    assert_eq!(answer.from(), "secondary", "{:?}", answer.journey);
    assert!((ms(2400)..=secs(3)).contains(&took), "{took:?}");
    other.await.unwrap().unwrap().is_whole();
}

/// The same request, sent where the fallback goes and as it goes there, so that both share one route.
fn second_of(mut request: evenkeel::Request) -> evenkeel::Request {
    *request.uri_mut() = SECOND.parse().unwrap();
    request.headers_mut().insert("authorization", "Bearer the-second-key".parse().unwrap());
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    *request.body_mut() = body.replace(r#""model":"m""#, r#""model":"spare""#).into();
    request
}
