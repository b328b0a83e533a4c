//! A fallback that can answer does: what belongs to one attempt is seen by no other, and replies made here race nobody.
//! Virtual time.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, Profile,
    breaker::BreakerPolicy,
    cache::CachePolicy,
    ladder::Rung,
    limit::{Concurrency, LimitPolicy},
    retry::RetryPolicy,
    testkit::{Provider, Reply},
};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, sleep_until};

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

// === replies made here race nobody ===

/// The share of the calls that get the canned reply in two hours in which the primary hangs, and a target below is well.
async fn canned_share(every: Duration) -> f64 {
    let spread = (0..).map(|n: u64| first_after(ms(600 + n * 7919 % 900)));
    let (primary, second) =
        (Provider::new("primary").always(Reply::hang()), Provider::new("secondary"));
    let second = second.replies(spread.take(10_000));
    let builder = Client::builder().fallback(secondary()).fallback(Rung::canned("busy"));
    let client = over(builder, [&primary, &second]);
    let count = (2 * 3600 / every.as_secs()).min(1200) as u32;
    let start = Instant::now();
    let calls = (0..count).map(|n| {
        let client = &client;
        async move {
            sleep_until(start + n * every).await;
            let answer = call(client, chat(true)).await.unwrap();
            u32::from(answer.from() == "canned")
        }
    });
    let canned: u32 = join_all(calls).await.into_iter().sum();
    f64::from(canned) / f64::from(count)
}

#[tokio::test(start_paused = true)]
async fn no_customer_of_a_quiet_bot_gets_the_canned_reply_while_the_second_target_is_well() {
    for every in [60, 20, 6, 2] {
        let share = canned_share(secs(every)).await;
        assert!(share == 0.0, "a call every {every} s: {:.1} %", share * 100.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_is_a_little_slower_than_its_median_answers_its_probe_before_a_canned_reply()
{
    let provider = Provider::new("primary");
    let client =
        over(Client::builder().profile(profile()).fallback(Rung::canned("busy")), [&provider]);
    provider.set(first_after(secs(1)));
    for _ in 0..10 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    half_open(&client, &provider, first_after(ms(1050))).await;
    let (answer, took) = timed(&client).await;
    assert_eq!((answer.from(), took), ("primary", ms(1050)));
}

#[tokio::test(start_paused = true)]
async fn a_stored_answer_races_no_target_either() {
    let (primary, second) = pair();
    let stored = Rung::stored(secs(3600));
    let builder = Client::builder().profile(profile()).cache(CachePolicy::new());
    let client = over(builder.fallback(stored).fallback(secondary()), [&primary, &second]);
    call(&client, chat(true)).await.unwrap().is_whole();
    half_open(&client, &primary, first_after(secs(2))).await;
    second.set(Reply::hang());
    let (answer, took) = timed(&client).await;
    assert_eq!((answer.from(), took), ("primary", secs(2)));
}

#[tokio::test(start_paused = true)]
async fn where_the_probe_and_the_target_beside_it_fail_the_canned_reply_is_given_and_none_is_asked_twice()
 {
    let (primary, second) = pair();
    let client = over(builder(profile()).fallback(Rung::canned("busy")), [&primary, &second]);
    half_open(&client, &primary, Reply::status(503).head_after(secs(3))).await;
    second.set(Reply::status(503));
    second.forget();
    let (answer, took) = timed(&client).await;
    assert_eq!((answer.from(), took), ("canned", secs(3)));
    assert_eq!((primary.count(), second.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_raced_call_logs_all_that_it_sent_also_the_probe_that_goes_on() {
    let (primary, second) = pair();
    let client = over(builder(profile()), [&primary, &second]);
    half_open(&client, &primary, Reply::answer().first_content_after(secs(4))).await;
    let (answer, _) = timed(&client).await;
    let journey = answer.journey.unwrap();
    let log = || -> Vec<_> {
        let attempts = journey.attempts();
        attempts.iter().map(|it| (it.route.provider().to_owned(), it.outcome.name())).collect()
    };
    let told = |probe| vec![("primary".to_owned(), probe), ("secondary".to_owned(), "success")];
    assert_eq!((answer.headers["evenkeel-attempts"].to_str().unwrap(), journey.sent()), ("2", 2));
    assert_eq!(log(), told("cancelled"), "it is still under way");
    sleep(secs(5)).await;
    assert_eq!((log(), journey.sent()), (told("success"), 2));
}
