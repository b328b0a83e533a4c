//! Fallbacks while their targets are unavailable: calls that wait for recovery, and probes that are raced. Virtual time.

use std::time::Duration;

use evenkeel::{
    CallOptions, Client, Profile,
    breaker::{BreakerPolicy, CircuitState},
    fallback::{Fallback, FallbackPolicy},
    outcome::Outcome,
    retry::RetryPolicy,
    telemetry::{EventKind, SkipReason},
};
use evenkeel_testkit::{Provider, Reply, provider::AttemptState};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::support::{
    Answer, Calls, EventLog, call, chat, evenly_spread_replies, ms, over, pair, percentile_99,
    read, secondary, secs, state_of, times_to_first_content, with_body, with_deadline,
};

// === calls that wait ===

/// A pipeline whose breakers open at the first failure, for five to thirty seconds.
fn pipeline() -> Profile {
    let retry = RetryPolicy::default().retries(0);
    Profile::pipeline()
        .retry(retry)
        .breaker(BreakerPolicy::default().consecutive_failures(1).jitter(0.0))
}

fn down_for(time: Duration) -> Provider {
    Provider::new("primary").during(Duration::ZERO..time, Reply::status(503))
}

#[tokio::test(start_paused = true)]
async fn a_pipelines_call_waits_for_recovery() {
    let (provider, log) = (down_for(secs(120)), EventLog::default());
    let client = over(log.attach_to(Client::builder().profile(pipeline())), [&provider]);
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    answer.is_whole();
    assert!((secs(120)..secs(160)).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert!(provider.count() <= 10, "{} attempts", provider.count());
    assert_eq!(answer.from(), "primary");
}

/// A chat with a prompt of that many bytes.
fn large(bytes: usize) -> evenkeel::Request {
    let text = "x".repeat(bytes);
    with_body(format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#))
}

#[tokio::test(start_paused = true)]
async fn a_large_call_that_waits_for_recovery_is_sent_rarely_and_still_recovers() {
    let retry = RetryPolicy::default().retries(0).resend_bytes(1);
    let sent = async |down: Duration, body: usize| {
        let targets = [down_for(down), down_for(down)];
        let profile = pipeline().retry(retry.clone()).deadline(secs(300));
        let builder = Client::builder().profile(profile).fallback(secondary());
        let client = over(builder, [&targets[0], &targets[1]]);
        let start = Instant::now();
        let status = call(&client, large(body)).await.unwrap().status;
        (status, start.elapsed(), targets.iter().map(Provider::count).sum::<u64>())
    };
    // Four further attempts, and one each 16 s, in which its bytes come back.
    let (status, _, attempts) = sent(secs(7200), 4 << 20).await;
    assert_eq!(status, 503);
    assert!((6..=5 + 300 / 16).contains(&attempts), "{attempts}");
    let (status, took, _) = sent(secs(120), 4 << 20).await;
    assert_eq!(status, 200);
    assert!(took < secs(180), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_large_call_has_a_canned_reply_when_its_bytes_are_used_up() {
    let down = [down_for(secs(60)), down_for(secs(60))];
    let log = EventLog::default();
    // Its bytes come back after 16 s.
    let retry = RetryPolicy::default().retries(0).resend_bytes(1);
    let builder = Client::builder().profile(Profile::interactive().retry(retry));
    let builder = builder.fallback(secondary()).fallback(Fallback::canned("later"));
    let client = over(log.attach_to(builder), [&down[0], &down[1]]);
    let models: Vec<_> = (0..8).map(|n| format!("m{n}")).collect();
    let options = CallOptions::new().fallback_models(models);
    let answer = client.call(large(4 << 20)).options(options).await.unwrap();
    let answer = read(answer).await;
    assert_eq!((answer.from(), answer.words()), ("canned", "later".into()));
    assert_eq!(down.iter().map(Provider::count).sum::<u64>(), 5);
    let resent = |event: &EventKind| {
        matches!(event, EventKind::FallbackSkipped { reason: SkipReason::Resent, .. })
    };
    assert!(log.events().iter().any(resent));
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_does_not_wait_for_recovery() {
    let provider = down_for(secs(120));
    let client = over(Client::builder(), [&provider]);
    let start = Instant::now();
    assert_eq!(call(&client, chat(true)).await.unwrap().status, 503);
    assert!(start.elapsed() < secs(2));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_first_failure_is_returned() {
    let provider = down_for(secs(7200));
    let client = over(Client::builder().profile(pipeline()), [&provider]);
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!(answer.status, 503);
    assert!((secs(840)..=secs(900)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_below_is_given_in_time() {
    let provider = down_for(secs(7200));
    let builder = Client::builder().profile(pipeline()).fallback(Fallback::wait_for_recovery());
    let client = over(builder.fallback(Fallback::canned("later")), [&provider]);
    let request = with_deadline(chat(false), secs(40));
    let start = Instant::now();
    let answer = call(&client, request).await.unwrap();
    assert_eq!((answer.from(), answer.words()), ("canned", "later".into()));
    assert!(start.elapsed() <= secs(40));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_no_wait_can_help_is_returned_at_once() {
    let replies = [
        Reply::context_length_exceeded(),
        Reply::error(404, "invalid_request_error", "model_not_found"),
        Reply::error(400, "invalid_request_error", ""),
    ];
    for reply in replies {
        let provider = Provider::new("primary").always(reply);
        let client = over(Client::builder().profile(pipeline()), [&provider]);
        let start = Instant::now();
        assert!(call(&client, chat(true)).await.unwrap().status.is_client_error());
        assert_eq!((start.elapsed(), provider.count()), (Duration::ZERO, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_known_to_be_too_long_is_not_begun() {
    let wait = Reply::rate_limited(Some(secs(3600)));
    let provider = Provider::new("primary").always(wait);
    let client = over(Client::builder().profile(pipeline()), [&provider]);
    let start = Instant::now();
    assert_eq!(call(&client, chat(true)).await.unwrap().status, 429);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_resume_one_by_one_the_oldest_first() {
    let provider = down_for(secs(300));
    let client = over(Client::builder().profile(pipeline()), [&provider]);
    let start = Instant::now();
    let calls = (0..200_u64).map(|n| {
        let client = &client;
        async move {
            sleep(ms(10 * n)).await;
            call(client, chat(true)).await.unwrap().is_whole();
            (start.elapsed(), n)
        }
    });
    let mut ends = join_all(calls).await;
    // At most one probe every thirty seconds, whatever the number of waiting calls.
    let during = provider.attempts().iter().filter(|it| it.at - start < secs(300)).count();
    assert!(during <= 30, "{during} attempts on a dead provider");
    let after: Vec<_> = provider.attempts().iter().map(|it| it.at - start).collect();
    let back = after.into_iter().filter(|at| *at >= secs(300)).collect::<Vec<_>>();
    let together = back.windows(5).filter(|five| five[4] - five[0] < ms(50)).count();
    assert_eq!(together, 0, "they come back one by one");
    ends.sort_unstable();
    let order: Vec<_> = ends.iter().map(|end| end.1).collect();
    let displaced = order.iter().enumerate().filter(|(at, n)| n.abs_diff(*at as u64) > 5).count();
    assert!(displaced <= 2, "the oldest first: {order:?}");
    let last = ends.last().unwrap().0;
    assert!(last < secs(300 + 31 + 60), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_caller_that_leaves_does_not_stop_the_others() {
    let provider = down_for(secs(60));
    let client = over(Client::builder().profile(pipeline()), [&provider]);
    let gone = tokio::spawn({
        let client = client.clone();
        async move { call(&client, chat(true)).await }
    });
    sleep(secs(10)).await;
    let stays = call(&client, chat(true));
    let leaves = async {
        sleep(secs(1)).await;
        gone.abort();
    };
    let (answer, ()) = tokio::join!(stays, leaves);
    answer.unwrap().is_whole();
}

#[tokio::test(start_paused = true)]
async fn an_open_route_delays_no_other() {
    let provider = down_for(secs(700));
    let other = Provider::new("secondary").during(Duration::ZERO..secs(20), Reply::status(503));
    let client = over(Client::builder().profile(pipeline()), [&provider, &other]);
    let start = Instant::now();
    let waits = call(&client, chat(true));
    let other = async {
        sleep(secs(1)).await;
        let mut request = chat(true);
        *request.uri_mut() = "http://secondary/v1/chat/completions".parse().unwrap();
        call(&client, request).await.unwrap().is_whole();
        start.elapsed()
    };
    let (waited, other) = tokio::join!(waits, other);
    waited.unwrap().is_whole();
    assert!(other < secs(60), "{other:?}");
}

#[test]
fn a_wait_must_be_below_the_target_it_waits_for() {
    let field = |fallbacks: FallbackPolicy| fallbacks.build().unwrap_err().field().to_owned();
    assert_eq!(field(FallbackPolicy::new().first(Fallback::wait_for_recovery())), "fallbacks[0]");
    assert_eq!(
        field(FallbackPolicy::new().fallback(Fallback::wait_for_recovery()).fallback(secondary())),
        "fallbacks[1]"
    );
    assert!(
        FallbackPolicy::new()
            .fallback(Fallback::wait_for_recovery())
            .fallback(Fallback::canned("x"))
            .build()
            .is_ok()
    );
}

// === probes that are raced ===

fn interactive() -> Profile {
    Profile::interactive().retry(RetryPolicy::default().seed(1))
}

#[tokio::test(start_paused = true)]
async fn half_open_callers_of_a_hanging_provider_wait_hardly_longer() {
    let calls = Calls { stream: true, every: ms(250), lasts: secs(1200) };
    let (primary, second) = pair();
    let second = second.replies(evenly_spread_replies(20_000));
    primary.set(Reply::hang());
    let client =
        over(Client::builder().profile(interactive()).fallback(secondary()), [&primary, &second]);
    let with = percentile_99(times_to_first_content(&client, calls, Answer::is_whole).await);
    assert!(primary.count() >= 20, "it was probed: {}", primary.count());

    let second = Provider::new("secondary").replies(evenly_spread_replies(20_000));
    let alone = over(
        Client::builder()
            .profile(interactive())
            .fallback_policy(FallbackPolicy::new().first(secondary())),
        [&second],
    );
    let without = percentile_99(times_to_first_content(&alone, calls, Answer::is_whole).await);
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!("p99 {with:?} while probing, {without:?} of the second fallback alone: {ratio:.3}");
    assert!(ratio <= 1.2, "{ratio}");
}

/// A primary whose breaker was opened, and which then sends that reply.
async fn probed(reply: Reply) -> (Client, Provider, Provider, EventLog) {
    let (primary, second) = pair();
    let log = EventLog::default();
    let breaker = BreakerPolicy::default().consecutive_failures(1).jitter(0.0);
    let profile = Profile::interactive().breaker(breaker).retry(RetryPolicy::default().retries(0));
    let builder = log.attach_to(Client::builder().profile(profile).fallback(secondary()));
    let client = over(builder, [&primary, &second]);
    primary.set(Reply::status(503));
    call(&client, chat(true)).await.unwrap().is_whole();
    primary.set(reply);
    primary.forget();
    second.forget();
    sleep(secs(6)).await;
    (client, primary, second, log)
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_is_raced_and_its_outcome_counts_all_the_same() {
    let slow = Reply::answer().first_content_after(secs(3));
    let (client, primary, second, log) = probed(slow).await;
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    answer.is_whole();
    assert_eq!(answer.from(), "secondary");
    assert!(start.elapsed() < secs(1), "{:?}", start.elapsed());
    assert_eq!((primary.count(), second.count(), log.count("probe_raced")), (1, 1, 1));
    assert_eq!(
        (state_of(&client, "primary"), primary.in_flight()),
        (CircuitState::HalfOpen, 1),
        "it goes on"
    );
    sleep(secs(4)).await;
    assert_eq!(primary.in_flight(), 0, "and is let go of once it is decided");
    // The second success.
    primary.set(Reply::answer());
    assert_eq!(call(&client, chat(true)).await.unwrap().from(), "primary");
    assert_eq!(state_of(&client, "primary"), CircuitState::Recovering);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_probe_that_was_raced_opens_the_breaker_again() {
    let (client, primary, _, _) = probed(Reply::hang()).await;
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(state_of(&client, "primary"), CircuitState::HalfOpen);
    sleep(secs(21)).await;
    assert_eq!(
        (state_of(&client, "primary"), primary.count(), primary.in_flight()),
        (CircuitState::Open, 1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_quick_probe_is_not_raced() {
    let (client, primary, second, log) = probed(Reply::answer()).await;
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!((answer.from(), log.count("probe_raced")), ("primary", 0));
    assert_eq!((primary.count(), second.count()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_wins_the_race_drops_the_other() {
    let (client, primary, second, _) = probed(Reply::answer().first_content_after(secs(1))).await;
    second.set(Reply::answer().first_content_after(secs(5)));
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!(answer.from(), "primary");
    assert_eq!((primary.count(), second.count()), (1, 1));
    assert_eq!(second.attempts()[0].state, AttemptState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn where_the_fallbacks_fail_the_probe_is_waited_for() {
    let (client, primary, second, _) = probed(Reply::answer().first_content_after(secs(4))).await;
    second.set(Reply::status(503));
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!((answer.from(), primary.count()), ("primary", 1));

    let (client, _, second, _) = probed(Reply::status(502).head_after(secs(4))).await;
    second.set(Reply::status(503));
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!(answer.status, 502, "the first target's failure is told");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_during_the_race_leaves_nothing_behind() {
    let (client, primary, second, _) = probed(Reply::hang()).await;
    second.set(Reply::hang());
    assert!(tokio::time::timeout(secs(2), client.send(chat(true))).await.is_err());
    assert_eq!((primary.in_flight(), second.in_flight()), (0, 0));
    let list = client.breakers().list();
    let (_, shown) = list.iter().find(|(route, _)| route.provider() == "primary").unwrap();
    assert_eq!((shown.state, shown.probes), (CircuitState::HalfOpen, 0), "its place is free again");
}

#[tokio::test(start_paused = true)]
async fn a_canned_reply_is_given_to_the_caller_of_a_hanging_probe_only_when_its_time_is_over() {
    let provider = Provider::new("primary");
    let breaker = BreakerPolicy::default().consecutive_failures(1).jitter(0.0);
    let profile = Profile::interactive().breaker(breaker).retry(RetryPolicy::default().retries(0));
    let client =
        over(Client::builder().profile(profile).fallback(Fallback::canned("busy")), [&provider]);
    provider.set(Reply::answer().first_content_after(ms(700)));
    for _ in 0..10 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    provider.set(Reply::status(503));
    call(&client, chat(true)).await.unwrap();
    sleep(secs(6)).await;
    provider.set(Reply::hang());
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!((answer.from(), start.elapsed()), ("canned", secs(30) - ms(20)));
    assert_eq!(answer.attempt_log.unwrap().sent(), 1, "the probe");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_can_be_sent_once_is_not_raced() {
    // Its outcome shows that no other target was tried.
    let (client, primary, second, log) = probed(Reply::hang()).await;
    let request = with_deadline(chat(true), secs(8));
    call(&client, request).await.unwrap().is_whole();
    assert_eq!((primary.count(), second.count(), log.count("probe_raced")), (1, 1, 1));
    let refused = matches!(
        call(&client, chat(true)).await.unwrap().attempt_log.unwrap().attempts()[0].outcome,
        Outcome::NotSent { .. }
    );
    assert!(refused, "the others go down at once");
}
