//! Hedges: when the second copy is sent, which of two answers counts, and how the other ends. Virtual time.

use std::time::Duration;

use evenkeel::{
    Body, Client, ClientBuilder, Error, Profile, Request, Response, Upstream,
    breaker::BreakerPolicy,
    fallback::{Fallback, Target},
    hedge::HedgePolicy,
    outcome::{Outcome, Rejection},
    retry::{Budget, Budgets, RetryPolicy},
    stream::BodyEnd,
};
use evenkeel_testkit::{Fault, Provider, Reply, provider::AttemptState};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{EventLog, call, chat, ms, over, read, secs, with_body};

/// A client with hedges, and nothing else that sends a request twice.
fn builder() -> ClientBuilder {
    with(HedgePolicy::default())
}

fn with(hedge: impl Into<Option<HedgePolicy>>) -> ClientBuilder {
    let retry = RetryPolicy::default().retries(0);
    let breaker =
        BreakerPolicy::default().consecutive_failures(None).failure_ratio(None).slow_ratio(None);
    let profile = Profile::interactive().retry(retry).breaker(breaker).hedge(hedge);
    Client::builder().profile(profile)
}

/// A provider that answers after these times, and then after 200 ms.
fn after(times: impl IntoIterator<Item = Duration>) -> Provider {
    let reply = |time| Reply::answer().words_per_event(60).first_content_after(time);
    let provider = Provider::new("primary").always(reply(ms(200)));
    provider.replies(times.into_iter().map(reply))
}

/// Sets the provider's next replies.
fn next(provider: &Provider, replies: impl IntoIterator<Item = Reply>) {
    drop(provider.clone().replies(replies));
}

/// Makes a hundred calls with answers of 200 ms.
async fn taught(client: &Client, provider: &Provider) {
    for _ in 0..100 {
        call(client, chat(true)).await.unwrap().is_whole();
    }
    provider.forget();
}

#[tokio::test(start_paused = true)]
async fn a_late_call_has_a_second_copy_and_the_first_answer_wins() {
    for stream in [true, false] {
        let (provider, log) = (after([]), EventLog::default());
        let client = over(log.attach_to(builder()), [&provider]);
        for _ in 0..100 {
            call(&client, chat(stream)).await.unwrap().is_whole();
        }
        provider.forget();
        next(&provider, [Reply::answer().first_content_after(secs(5))]);
        let start = Instant::now();
        let answer = call(&client, chat(stream)).await.unwrap();
        answer.is_whole();
        assert_eq!(start.elapsed(), ms(400), "late at 200 ms, answered 200 ms later");
        assert_eq!((provider.count(), log.count("hedged")), (2, 1));
        let fates: Vec<_> = provider.attempts().iter().map(|attempt| attempt.state).collect();
        assert_eq!(
            (fates[0], provider.in_flight()),
            (AttemptState::Cancelled, 0),
            "its permits are free"
        );
        let attempt_log = answer.attempt_log.unwrap();
        assert_eq!(
            (attempt_log.sent(), attempt_log.attempts()[1].outcome),
            (2, Outcome::Cancelled)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_hundred_calls_the_slowest_are_three_times_as_fast() {
    let mut random = numbers(7);
    let times: Vec<_> = (0..12_000)
        .map(|_| {
            let usual = 200 + random() % 200;
            ms(if random() % 100 < 2 { 20 * usual } else { usual })
        })
        .collect();
    let mut p99 = Vec::new();
    for hedge in [None, Some(HedgePolicy::default())] {
        let provider = after(times.clone());
        let client = over(with(hedge), [&provider]);
        let calls = (0..10_000_u64).map(|n| {
            let client = &client;
            async move {
                sleep(ms(100 * n)).await;
                let start = Instant::now();
                let response = client.send(chat(true)).await.unwrap();
                let first = start.elapsed();
                read(response).await.is_whole();
                first
            }
        });
        let mut firsts = join_all(calls).await;
        firsts.sort_unstable();
        p99.push(firsts[9_900]);
        let extra = (provider.count() - 10_000) as f64 / 10_000.0;
        println!("p99 {:?}, extra attempts {:.2} %", firsts[9_900], 100.0 * extra);
        assert!(extra <= 0.05, "{extra}");
    }
    let ratio = p99[1].as_secs_f64() / p99[0].as_secs_f64();
    println!("ratio {ratio:.3}");
    assert!(ratio <= 0.35, "{p99:?}");
}

/// Random numbers, the same in every run.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_slow_for_everybody_is_not_hit_twice() {
    let (provider, log) = (after([]), EventLog::default());
    let client = over(log.attach_to(builder()), [&provider]);
    taught(&client, &provider).await;
    provider.set(Reply::answer().first_content_after(secs(4)));
    for _ in 0..200 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    // The budget earned by the hundred calls before, and by these two hundred.
    let extra = provider.count() - 200;
    assert!((1..=15).contains(&extra), "{extra}");
}

#[tokio::test(start_paused = true)]
async fn without_samples_or_without_asking_for_it_nothing_is_sent_twice() {
    let slow = Reply::answer().first_content_after(secs(5));
    for (builder, known) in [(builder(), 19), (with(None), 100)] {
        let provider = after([]);
        let client = over(builder, [&provider]);
        for _ in 0..known {
            call(&client, chat(true)).await.unwrap().is_whole();
        }
        provider.set(slow.clone());
        call(&client, chat(true)).await.unwrap().is_whole();
        assert_eq!(provider.count(), known + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_starts_the_second_copy_at_once() {
    let provider = after([]);
    let client = over(builder(), [&provider]);
    taught(&client, &provider).await;
    for fails in [Reply::status(503), Reply::reset(), Reply::refused()] {
        provider.forget();
        next(&provider, [fails]);
        let start = Instant::now();
        call(&client, chat(true)).await.unwrap().is_whole();
        assert_eq!((start.elapsed(), provider.count()), (ms(200), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_conclusive_failure_is_returned_at_once() {
    let provider = after([]);
    let client = over(builder(), [&provider]);
    taught(&client, &provider).await;
    for fails in [
        Reply::error(400, "invalid_request_error", ""),
        Reply::content_policy_violation(),
        Reply::context_length_exceeded(),
        Reply::rate_limited(Some(secs(2))),
        // The last one, because it opens the breaker.
        Reply::quota_exhausted(),
    ] {
        provider.forget();
        next(&provider, [fails]);
        let answer = call(&client, chat(true)).await.unwrap();
        assert_ne!(answer.status, 200);
        assert_eq!(provider.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_waits_for_the_other_copy_and_the_first_of_two_is_returned() {
    let provider = after([]);
    let client = over(builder(), [&provider]);
    taught(&client, &provider).await;
    let late = |reply: Reply| reply.head_after(ms(500));
    // The first fails while the second is in progress.
    next(&provider, [late(Reply::status(503)), Reply::answer().first_content_after(secs(2))]);
    call(&client, chat(true)).await.unwrap().is_whole();
    // The second fails before the first is answered.
    next(&provider, [Reply::answer().first_content_after(secs(2)), Reply::status(503)]);
    call(&client, chat(true)).await.unwrap().is_whole();
    // Both fail.
    next(&provider, [late(Reply::status(502)), Reply::status(503)]);
    assert_eq!(call(&client, chat(true)).await.unwrap().status, 502);
    next(&provider, [Reply::status(502), Reply::status(503)]);
    assert_eq!(call(&client, chat(true)).await.unwrap().status, 502);
    assert_eq!(provider.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_request_ends_both_copies() {
    let provider = after([]);
    let client = over(builder(), [&provider]);
    taught(&client, &provider).await;
    let wrong = Reply::error(400, "invalid_request_error", "invalid_value").head_after(ms(400));
    next(&provider, [wrong, Reply::answer().first_content_after(secs(9))]);
    let start = Instant::now();
    assert_eq!(call(&client, chat(true)).await.unwrap().status, 400);
    assert_eq!((start.elapsed(), provider.in_flight()), (ms(400), 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_cancels_both() {
    let provider = after([]);
    let client = over(builder(), [&provider]);
    taught(&client, &provider).await;
    provider.set(Reply::hang());
    let gone = tokio::time::timeout(secs(1), client.send(chat(true))).await;
    assert!(gone.is_err());
    assert_eq!((provider.count(), provider.in_flight()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_with_side_effects_is_sent_once() {
    let provider = after([]);
    let client = over(builder(), [&provider]);
    taught(&client, &provider).await;
    provider.set(Reply::answer().head_after(secs(5)));
    let mut files = with_body("{}");
    *files.uri_mut() = "http://primary/v1/files".parse().unwrap();
    client.send(files).await.unwrap();
    assert_eq!(provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn copies_are_paid_for_from_the_budget_of_the_retries() {
    let budget = Budget::new(0.2, 1).unwrap();
    assert!(budget.withdraw());
    let budgets = Budgets::shared(budget);
    let retry = RetryPolicy::default().retries(0).budgets(budgets.clone());
    let profile = Profile::interactive().retry(retry).hedge(HedgePolicy::default());
    let provider = after([]);
    let client = over(Client::builder().profile(profile), [&provider]);
    taught(&client, &provider).await;
    let route = &client.breakers().list()[0].0.clone();
    assert_eq!(budgets.of(route).left(), 1);
    let slow = Reply::answer().first_content_after(secs(3));
    next(&provider, [slow.clone(), slow.clone(), slow]);
    call(&client, chat(true)).await.unwrap().is_whole();
    // The copy has spent the rest of the budget, and the answer has earned as much.
    assert_eq!((provider.count(), budgets.of(route).left()), (2, 1));
    assert!(budgets.of(route).withdraw());
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(provider.count(), 3, "slow again, and nothing left for a copy");
}

#[tokio::test(start_paused = true)]
async fn a_probe_has_no_second_copy() {
    let provider = after([]);
    let breaker = BreakerPolicy::default()
        .consecutive_failures(1)
        .open_backoff(secs(5)..=secs(5))
        .jitter(0.0);
    let retry = RetryPolicy::default().retries(0);
    let profile =
        Profile::interactive().breaker(breaker).retry(retry).hedge(HedgePolicy::default());
    let client =
        over(Client::builder().profile(profile).fallback(Fallback::canned("busy")), [&provider]);
    taught(&client, &provider).await;
    next(&provider, [Reply::status(503), Reply::status(503)]);
    call(&client, chat(true)).await.unwrap();
    sleep(secs(6)).await;
    provider.forget();
    provider.set(Reply::answer().first_content_after(secs(7)));
    call(&client, chat(true)).await.unwrap();
    assert_eq!(provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_copy_goes_to_another_of_equal_targets() {
    let [one, other] = ["one", "other"].map(Provider::new);
    let target = |name: &str| Target::new(format!("http://{name}/v1")).bearer(name);
    let builder = builder().primaries([target("one"), target("other")]);
    let client = over(builder, [&one, &other]);
    for _ in 0..40 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    for _ in 0..20 {
        for provider in [&one, &other] {
            provider.forget();
            next(provider, [Reply::answer().first_content_after(secs(6))]);
        }
        call(&client, chat(true)).await.unwrap().is_whole();
        assert_eq!((one.count(), other.count()), (1, 1));
        for _ in 0..30 {
            call(&client, chat(true)).await.unwrap().is_whole();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_of_the_winner_is_monitored_to_its_end() {
    let (provider, log) = (after([]), EventLog::default());
    let client = over(log.attach_to(builder()), [&provider]);
    taught(&client, &provider).await;
    next(
        &provider,
        [
            Reply::answer().first_content_after(secs(5)),
            Reply::answer().with(Fault::Cut { words: 40 }),
        ],
    );
    let answer = call(&client, chat(true)).await.unwrap();
    assert!(answer.error.expect("it was cut").is_truncated());
    assert_eq!(answer.attempt_log.unwrap().ending(), Some(BodyEnd::Truncated));
}

/// The layer alone, over an upstream whose second answer is slow.
#[tokio::test(start_paused = true)]
async fn the_hedge_layer_works_alone() {
    fn upstream() -> impl Upstream {
        service_fn(|request: Request| async move {
            let slow = request.headers().contains_key("slow");
            sleep(if slow { secs(9) } else { ms(100) }).await;
            match request.headers().contains_key("wrong") {
                true => Err(Error::new(Outcome::Rejected { why: Rejection::Request })),
                false => Ok(Response::new(Body::from("hello"))),
            }
        })
    }
    let service = HedgePolicy::new().samples(1).build().unwrap().layer(upstream());
    for _ in 0..40 {
        service.clone().oneshot(chat(false)).await.unwrap();
    }
    let mut slow = chat(false);
    slow.headers_mut().insert("slow", "1".parse().unwrap());
    let start = Instant::now();
    service.clone().oneshot(slow).await.unwrap();
    assert_eq!(start.elapsed(), secs(9), "both copies are slow");
    let mut wrong = chat(false);
    wrong.headers_mut().insert("wrong", "1".parse().unwrap());
    assert!(service.oneshot(wrong).await.is_err());
}
