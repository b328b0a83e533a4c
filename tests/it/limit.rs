//! Limits: the layer over services in process, and the whole stack over providers with limits. Paused clock.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Client, Error, Profile, Request, Response,
    context::Priority,
    fallback::Fallback,
    limit::{Concurrency, LimitLayer, LimitPolicy},
    retry::RetryPolicy,
    telemetry::EventKind,
};
use evenkeel_testkit::{Capacity, Fault, Provider, Reply};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep, sleep_until};
use tower::{Layer, ServiceExt};

use crate::support::{
    EventLog, call, chat, ms, over, pair, read, secondary, secs, with_body, with_deadline,
    with_extension,
};

mod adaptive;
mod no_harm;
mod request_rate;

const MINUTE: Duration = Duration::from_secs(60);

fn ask(model: &str) -> Request {
    let body = format!(
        r#"{{"model":"{model}","max_tokens":10,"messages":[{{"role":"user","content":"hi"}}]}}"#
    );
    with_body(body)
}

fn one_at_a_time() -> LimitLayer {
    LimitPolicy::new().concurrency(Concurrency::Fixed(1)).build().unwrap()
}

async fn send(
    layer: &LimitLayer,
    provider: &Provider,
    request: Request,
) -> Result<Response, Error> {
    layer.layer(provider.clone()).oneshot(request).await
}

/// A client with those limits, without retries.
fn limited(policy: LimitPolicy) -> Profile {
    Profile::interactive().limit(policy).retry(RetryPolicy::new().retries(0))
}

// === permits ===

#[tokio::test(start_paused = true)]
async fn a_permit_is_held_until_the_body_has_ended() {
    let slow = Reply::answer().between_events(ms(100));
    let provider = Provider::new("primary").always(slow);
    let layer = one_at_a_time();
    let first = send(&layer, &provider, chat(true)).await.unwrap();
    let start = Instant::now();
    let second = tokio::spawn({
        let (layer, provider) = (layer.clone(), provider.clone());
        async move { send(&layer, &provider, chat(true)).await.map(|_| Instant::now()) }
    });
    let read = first.into_body().collect().await.unwrap();
    let ended = Instant::now();
    assert!(!read.to_bytes().is_empty() && ended - start >= secs(5));
    assert_eq!(second.await.unwrap().unwrap(), ended, "and not at its head");
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_gives_its_permit_back() {
    let provider = Provider::new("primary").always(Reply::answer().between_events(secs(60)));
    let layer = one_at_a_time();
    let limits = layer.handle();
    for _ in 0..3 {
        let response = send(&layer, &provider, chat(true)).await.unwrap();
        assert_eq!(limits.list()[0].1.in_flight, 1);
        drop(response);
        assert_eq!(limits.list()[0].1.in_flight, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cancelled_gives_its_permit_back() {
    let provider = Provider::new("primary").always(Reply::hang());
    let layer = one_at_a_time();
    let limit = tokio::time::timeout(secs(1), send(&layer, &provider, chat(true))).await;
    assert!(limit.is_err());
    let waiting = send(&layer, &provider, chat(true));
    assert!(tokio::time::timeout(secs(1), waiting).await.is_err());
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_models_rate_limit_does_not_hold_up_another_model_of_the_same_key() {
    let provider = Provider::new("primary").replies([Reply::rate_limited(Some(secs(300)))]);
    let client = over(Client::builder().profile(limited(LimitPolicy::new())), [&provider]);
    assert_eq!(call(&client, ask("busy")).await.unwrap().status, 429);
    let start = Instant::now();
    call(&client, ask("well")).await.unwrap().is_whole();
    assert_eq!(start.elapsed(), Duration::ZERO);
    let error = call(&client, ask("busy")).await.unwrap_err();
    assert!(error.is_refused() && error.retry_in() >= Some(secs(300)), "{error:?}");
    assert_eq!((start.elapsed(), provider.count()), (Duration::ZERO, 2));
}

// === waiting ===

struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_is_polled_a_handful_of_times() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(ms(700)));
    let policy = LimitPolicy::new().requests(60).burst(secs(1));
    let layer = policy.concurrency(Concurrency::Fixed(2)).build().unwrap();
    let polls = Arc::new(Mutex::new(Vec::new()));
    let calls = (0..100).map(|_| {
        let (layer, provider, polls) = (layer.clone(), provider.clone(), polls.clone());
        tokio::spawn(async move {
            let mut call = pin!(send(&layer, &provider, chat(false)));
            let mut count = 0;
            let result = std::future::poll_fn(|cx| {
                count += 1;
                call.as_mut().poll(cx)
            });
            result.await.unwrap();
            polls.lock().unwrap().push(count);
        })
    });
    join_all(calls.collect::<Vec<_>>()).await;
    let polls = polls.lock().unwrap();
    let (all, most) = (polls.iter().sum::<u32>(), polls.iter().max().unwrap());
    assert_eq!(provider.count(), 100);
    assert!(all <= 100 * 6 && *most <= 8, "{all} polls, at most {most} of a call");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_is_not_woken_without_a_reason() {
    let provider = Provider::new("primary").always(Reply::hang());
    let layer = one_at_a_time();
    let _held = tokio::spawn({
        let (layer, provider) = (layer.clone(), provider.clone());
        async move { send(&layer, &provider, chat(false)).await }
    });
    tokio::task::yield_now().await;
    let woken = Arc::new(Count(AtomicU32::new(0)));
    let waker = Waker::from(woken.clone());
    let mut waiting = pin!(send(&layer, &provider, chat(false)));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    for _ in 0..1000 {
        // Other calls come and go.
        let other = send(&layer, &provider, with_deadline(chat(false), secs(5)));
        let _ = tokio::time::timeout(ms(10), other).await;
    }
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fills_the_queue_refuses_no_call_of_higher_priority() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(secs(1)));
    let policy = LimitPolicy::new().concurrency(Concurrency::Fixed(1)).max_queue(3);
    let layer = policy.build().unwrap();
    let start = Instant::now();
    let send = |priority: Priority| {
        let (layer, provider) = (layer.clone(), provider.clone());
        async move {
            let result = send(&layer, &provider, with_extension(chat(false), priority)).await;
            (result.map(drop), start.elapsed())
        }
    };
    let batch = join_all((0..6).map(|_| send(Priority::Batch)));
    let person = async {
        sleep(ms(500)).await;
        send(Priority::Interactive).await
    };
    let (batch, (person, at)) = tokio::join!(batch, person);
    assert_eq!(
        batch.iter().filter(|(result, _)| result.is_err()).count(),
        2,
        "one goes, three wait"
    );
    assert!(person.is_ok() && at == secs(2), "{person:?} {at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_takes_no_time() {
    let provider = Provider::new("primary").always(Reply::hang());
    let policy = LimitPolicy::new().concurrency(Concurrency::Fixed(1)).max_queue(0);
    let layer = policy.build().unwrap();
    let _held = tokio::spawn({
        let (layer, provider) = (layer.clone(), provider.clone());
        async move { send(&layer, &provider, chat(false)).await }
    });
    tokio::task::yield_now().await;
    for _ in 0..1000 {
        let mut call = pin!(send(&layer, &provider, chat(false)));
        let first = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(first, Poll::Ready(Err(error)) if error.is_refused()));
    }
    assert_eq!(provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn interactive_calls_precede_earlier_batch_calls() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(secs(1)));
    let layer = one_at_a_time();
    let order = Arc::new(Mutex::new(Vec::new()));
    let spawn = |name: &'static str, priority| {
        let (layer, provider, order) = (layer.clone(), provider.clone(), order.clone());
        tokio::spawn(async move {
            read(send(&layer, &provider, with_extension(chat(false), priority)).await.unwrap())
                .await;
            order.lock().unwrap().push(name);
        })
    };
    let mut calls = vec![spawn("first", Priority::Batch)];
    for (name, priority) in [
        ("batch 1", Priority::Batch),
        ("batch 2", Priority::Batch),
        ("person 1", Priority::Interactive),
        ("person 2", Priority::Interactive),
    ] {
        tokio::task::yield_now().await;
        calls.push(spawn(name, priority));
    }
    join_all(calls).await;
    let order = order.lock().unwrap().clone();
    assert_eq!(order, ["first", "person 1", "person 2", "batch 1", "batch 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_goes_away_leaves_its_place_to_the_next() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(secs(10)));
    let layer = one_at_a_time();
    let spawn = || {
        let (layer, provider) = (layer.clone(), provider.clone());
        tokio::spawn(
            async move { send(&layer, &provider, chat(false)).await.map(|_| Instant::now()) },
        )
    };
    let start = Instant::now();
    let calls: Vec<_> = (0..4).map(|_| spawn()).collect();
    sleep(secs(1)).await;
    calls[1].abort();
    calls[2].abort();
    let last = calls.into_iter().next_back().unwrap().await.unwrap().unwrap();
    assert_eq!((last - start, provider.count()), (secs(20), 2));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_the_wait_would_use_up_is_refused_at_once_and_goes_down() {
    let (primary, second) = pair();
    let primary = primary.replies([Reply::rate_limited(Some(secs(40)))]);
    let log = EventLog::default();
    let builder = log.attach_to(Client::builder().profile(limited(LimitPolicy::new())));
    let client = over(builder.fallback(secondary()), [&primary, &second]);
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(call(&client, chat(true)).await.unwrap().from(), "secondary");
    }
    assert_eq!((start.elapsed(), primary.count()), (Duration::ZERO, 1));
    assert_eq!((log.count("limit_closed"), log.count("limit_refused")), (1, 4));
    sleep(secs(42)).await;
    assert_eq!(call(&client, chat(true)).await.unwrap().from(), "primary");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_the_time_waits_for_the_route_to_open() {
    let primary = Provider::new("primary").replies([Reply::rate_limited(Some(secs(4)))]);
    let log = EventLog::default();
    let client =
        over(log.attach_to(Client::builder().profile(limited(LimitPolicy::new()))), [&primary]);
    assert_eq!(call(&client, chat(true)).await.unwrap().status, 429);
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert!((secs(4)..secs(5)).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!((log.count("limit_queued"), primary.count()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_retry_and_the_queue_do_not_wait_one_after_the_other() {
    let primary = Provider::new("primary").replies([Reply::rate_limited(Some(secs(4)))]);
    let client = over(Client::builder(), [&primary]);
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert!((secs(4)..secs(6)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn calls_that_waited_for_a_route_are_not_sent_all_at_once() {
    let primary = Provider::new("primary").replies([Reply::rate_limited(Some(secs(10)))]);
    let client = over(Client::builder().profile(limited(LimitPolicy::new())), [&primary]);
    call(&client, chat(true)).await.unwrap();
    let start = Instant::now();
    let calls = join_all((0..100).map(|_| call(&client, chat(true)))).await;
    calls.into_iter().for_each(|answer| answer.unwrap().is_whole());
    let times: Vec<_> = primary.attempts()[1..].iter().map(|it| it.at - start).collect();
    let busiest = times
        .iter()
        .map(|from| times.iter().filter(|at| **at >= *from && **at < *from + ms(500)).count());
    let busiest = busiest.max().unwrap();
    println!(
        "{} attempts from {:?} to {:?}, at most {busiest} in half a second",
        times.len(),
        times[0],
        times[99]
    );
    assert!(times[0] >= secs(10) && busiest <= 25, "{busiest}");
    assert!(times[99] <= secs(18), "{:?}", times[99]);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_without_a_wait_makes_a_pause_that_grows() {
    let primary = Provider::new("primary").always(Reply::rate_limited(None));
    let policy = LimitPolicy::new().cooldown_without_hint(ms(500));
    let client = over(Client::builder().profile(limited(policy)), [&primary]);
    for _ in 0..4 {
        assert_eq!(call(&client, chat(true)).await.unwrap().status, 429);
    }
    let times: Vec<_> = primary.attempts().iter().map(|it| it.at).collect();
    let gaps: Vec<_> = times.windows(2).map(|two| two[1] - two[0]).collect();
    for (gap, least) in gaps.iter().zip([ms(500), secs(1), secs(2)]) {
        assert!(*gap >= least && *gap < least + least / 4, "{gaps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn headers_with_nothing_remaining_apply_without_any_limit_set() {
    let used_up = Reply::answer()
        .header("x-ratelimit-limit-requests", "60")
        .header("x-ratelimit-remaining-requests", "0")
        .header("x-ratelimit-reset-requests", "20s");
    let primary = Provider::new("primary").replies([used_up]);
    let client = over(Client::builder().profile(limited(LimitPolicy::new())), [&primary]);
    call(&client, chat(true)).await.unwrap().is_whole();
    let error = call(&client, with_deadline(chat(true), secs(10))).await.unwrap_err();
    assert_eq!(error.retry_in(), Some(secs(20)));
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(start.elapsed(), secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_healthy_provider_with_headers_is_not_slowed_by_default() {
    let capacity = Capacity::PerMinute { requests: 600, tokens: 1_000_000 };
    let primary = Provider::new("primary").capacity(capacity, Reply::rate_limited(Some(secs(1))));
    let client = over(Client::builder(), [&primary]);
    let start = Instant::now();
    for _ in 0..500 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

// === with the breaker ===

#[tokio::test(start_paused = true)]
async fn time_in_the_queue_is_not_slow_for_the_breaker() {
    let primary = Provider::new("primary").always(Reply::answer().first_content_after(secs(1)));
    let policy = LimitPolicy::new().concurrency(Concurrency::Fixed(1));
    let profile = Profile::pipeline().limit(policy).classify(Default::default());
    let profile = profile.breaker(evenkeel::breaker::BreakerPolicy::default().slow_after(
        evenkeel::breaker::AnswerTimes { first_event: secs(5), whole_answer: secs(5) },
    ));
    let client = over(Client::builder().profile(profile), [&primary]);
    let calls = join_all((0..40).map(|_| call(&client, chat(true)))).await;
    calls.into_iter().for_each(|answer| answer.unwrap().is_whole());
    let (_, shown) = client.breakers().list().remove(0);
    assert_eq!(
        (shown.state, shown.slow_ratio.unwrap_or_default()),
        (evenkeel::breaker::CircuitState::Closed, 0.0)
    );
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_the_queue_do_not_count_against_the_route() {
    let primary = Provider::new("primary").always(Reply::answer().between_events(secs(2)));
    let policy = LimitPolicy::new().concurrency(Concurrency::Fixed(1));
    let client = over(Client::builder().profile(Profile::pipeline().limit(policy)), [&primary]);
    let running = tokio::spawn({
        let client = client.clone();
        async move { call(&client, chat(true)).await }
    });
    tokio::task::yield_now().await;
    for _ in 0..30 {
        let gone = tokio::time::timeout(secs(100), call(&client, chat(true)));
        let waiting = join_all([gone]);
        let _ = tokio::time::timeout(ms(100), waiting).await;
    }
    let waited: Vec<_> =
        (0..30).map(|_| tokio::time::timeout(secs(90), call(&client, chat(true)))).collect();
    assert!(join_all(waited).await.iter().all(Result::is_err));
    let (_, shown) = client.breakers().list().remove(0);
    assert_eq!(
        (shown.state, shown.slow_ratio.unwrap_or_default()),
        (evenkeel::breaker::CircuitState::Closed, 0.0)
    );
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_do_not_go_to_a_route_whose_breaker_has_opened() {
    let (primary, second) = pair();
    primary.set(Reply::status(503).head_after(secs(1)));
    let policy = LimitPolicy::new().concurrency(Concurrency::Fixed(5));
    let builder = Client::builder().profile(limited(policy)).fallback(secondary());
    let client = over(builder, [&primary, &second]);
    let calls = join_all((0..60).map(|_| call(&client, chat(true)))).await;
    assert!(calls.into_iter().all(|answer| answer.unwrap().from() == "secondary"));
    assert!(primary.count() <= 10, "{}", primary.count());
}

// === tokens ===

#[tokio::test(start_paused = true)]
async fn tokens_are_settled_by_the_usage_in_the_answer() {
    let primary = Provider::new("primary");
    let policy = LimitPolicy::new().tokens(10_000);
    let client = over(Client::builder().profile(limited(policy)), [&primary]);
    let body = r#"{"model":"m","max_tokens":4000,"messages":[{"role":"user","content":"hi"}]}"#;
    let start = Instant::now();
    for _ in 0..20 {
        call(&client, with_body(body)).await.unwrap().is_whole();
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "what it reserved was not used");
    let (_, shown) = client.limits().list().remove(0);
    let left = shown.tokens.unwrap();
    assert!((7_000.0..9_500.0).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_call_for_more_tokens_than_a_minute_has_is_possible() {
    let primary = Provider::new("primary");
    let policy = LimitPolicy::new().tokens(1000);
    let profile = Profile::pipeline().limit(policy);
    let client = over(Client::builder().profile(profile), [&primary]);
    let small = r#"{"model":"m","max_tokens":400,"messages":[{"role":"user","content":"hi"}]}"#;
    let large = Bytes::from(small.replace("400", "9000"));
    call(&client, with_body(small)).await.unwrap().is_whole();
    let start = Instant::now();
    call(&client, with_body(large)).await.unwrap().is_whole();
    assert!(start.elapsed() <= MINUTE, "{:?}", start.elapsed());
}

// === what is reported ===

#[tokio::test(start_paused = true)]
async fn the_handle_shows_the_waiting_calls_and_their_wait() {
    let primary = Provider::new("primary").always(Reply::answer().head_after(secs(2)));
    let policy = LimitPolicy::new().requests(60).burst(secs(1));
    let client = over(Client::builder().profile(limited(policy)), [&primary]);
    let calls = (0..4).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { call(&client, chat(false)).await })
    });
    let calls: Vec<_> = calls.collect();
    sleep(ms(1)).await;
    let (route, shown) = client.limits().list().remove(0);
    assert_eq!((shown.waiting, shown.in_flight, shown.requests_a_minute), (3, 1, Some(60.0)));
    let wait = client.limits().retry_in(&route);
    assert!((ms(3900)..=secs(4)).contains(&wait), "{wait:?}");
    join_all(calls).await;
    let shown = client.limits().of(&route).unwrap();
    assert_eq!((shown.waiting, shown.in_flight), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_model_can_have_limits_of_its_own() {
    let primary = Provider::new("primary");
    let other = LimitPolicy::new().requests(600).burst(secs(1));
    let policy = LimitPolicy::new().requests(60).burst(secs(1)).model("fast", other);
    let client = over(Client::builder().profile(limited(policy)), [&primary]);
    for (model, took) in [("slow", secs(10)), ("fast", ms(100))] {
        let start = Instant::now();
        for _ in 0..11 {
            call(&client, ask(model)).await.unwrap().is_whole();
        }
        assert_eq!(start.elapsed(), took, "{model}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_is_there_at_once_while_the_route_is_closed() {
    let primary = Provider::new("primary").always(Reply::rate_limited(Some(secs(600))));
    let builder = Client::builder().fallback(Fallback::canned("busy"));
    let client = over(builder, [&primary]);
    let start = Instant::now();
    for _ in 0..50 {
        assert_eq!(call(&client, chat(true)).await.unwrap().from(), "canned");
    }
    assert_eq!((start.elapsed(), primary.count()), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_rate_limit_within_a_stream_closes_the_route_as_well() {
    let said = r#"{"error":{"message":"Rate limit reached. Please try again in 9s.","code":"rate_limit_exceeded"}}"#;
    let limited_stream = Reply::answer().with(Fault::ErrorEvent { words: 0, data: said.into() });
    let primary = Provider::new("primary").replies([limited_stream]);
    let log = EventLog::default();
    let client =
        over(log.attach_to(Client::builder().profile(limited(LimitPolicy::new()))), [&primary]);
    assert!(call(&client, chat(true)).await.unwrap_err().is_rate_limited());
    let lasts = log.events().into_iter().find_map(|event| match event {
        EventKind::LimitClosed { lasts, .. } => Some(lasts),
        _ => None,
    });
    assert!(lasts >= Some(secs(9)), "{lasts:?}");
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert!(start.elapsed() >= secs(9));
    sleep_until(start).await;
}
