//! The attempts of a call below its own target: one attempt does not affect another, probes are raced by targets only, and limits
//! hold over all fallbacks. Virtual time.

use std::time::Duration;

use evenkeel::{
    Client, ClientBuilder, Profile,
    balance::BalancePolicy,
    breaker::BreakerPolicy,
    cache::CachePolicy,
    context::{Attempt, AttemptLog},
    fallback::{Capabilities, Fallback, FallbackOn, FallbackPolicy, Fallbacks, Target},
    hedge::HedgePolicy,
    limit::{Concurrency, LimitPolicy},
    outcome::{Outcome, Phase},
    retry::RetryPolicy,
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Fault, Provider, Reply};
use futures_util::future::join_all;
use proptest::prelude::*;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{
    Answer, call, chat, check_property, in_virtual_time, ms, over, pair, read, secondary, secs,
    with_deadline,
};

const SECOND: &str = "http://secondary/v1/chat/completions";

/// Breakers that open at the first failure, for five seconds; no retries.
fn profile() -> Profile {
    let breaker = BreakerPolicy::default().consecutive_failures(1).jitter(0.0);
    Profile::interactive().breaker(breaker).retry(RetryPolicy::default().retries(0))
}

fn builder(profile: Profile) -> ClientBuilder {
    Client::builder().profile(profile).fallback(secondary())
}

/// Opens the breaker of the primary, which then always sends that reply, and waits until the next call is its probe.
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

/// Makes a call, and measures the time to its first content.
async fn timed(client: &Client) -> (Answer, Duration) {
    let start = Instant::now();
    let response = client.send(chat(true)).await.unwrap();
    let took = start.elapsed();
    (read(response).await, took)
}

#[tokio::test(start_paused = true)]
async fn the_caller_of_a_hanging_probe_has_the_second_targets_answer_and_not_the_canned_one() {
    let (primary, second) = pair();
    let client = over(builder(profile()).fallback(Fallback::canned("busy")), [&primary, &second]);
    half_open(&client, &primary, Reply::hang()).await;
    second.set(first_after(ms(1500)));
    second.forget();
    let (answer, took) = timed(&client).await;
    assert_eq!(answer.from(), "secondary", "{:?}", answer.attempt_log);
    assert!((ms(1500)..=ms(2100)).contains(&took), "{took:?}");
    assert_eq!((primary.count(), second.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_caller_of_a_hanging_probe_waits_its_turn_at_the_second_target() {
    let (primary, second) = pair();
    let limited = profile().limit(LimitPolicy::default().concurrency(Concurrency::Fixed(1)));
    let client = over(builder(limited).fallback(Fallback::canned("busy")), [&primary, &second]);
    half_open(&client, &primary, Reply::hang()).await;
    // The one permit of the second target is taken for a second from the start of the probe.
    second.set(first_after(secs(1)));
    let other = tokio::spawn({
        let client = client.clone();
        async move { call(&client, second_of(chat(true))).await }
    });
    tokio::task::yield_now().await;
    second.set(first_after(ms(1500)));
    let (answer, took) = timed(&client).await;
    assert_eq!(answer.from(), "secondary", "{:?}", answer.attempt_log);
    assert!((ms(2400)..=secs(3)).contains(&took), "{took:?}");
    other.await.unwrap().unwrap().is_whole();
}

/// The same request as the fallback sends it, to the same URL, so that both share one route.
fn second_of(mut request: evenkeel::Request) -> evenkeel::Request {
    *request.uri_mut() = SECOND.parse().unwrap();
    request.headers_mut().insert("authorization", "Bearer the-second-key".parse().unwrap());
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    *request.body_mut() = body.replace(r#""model":"m""#, r#""model":"spare""#).into();
    request
}

// === canned replies do not race probes ===

/// The share of the calls with the canned reply in two hours in which the primary hangs, with a healthy target below.
async fn canned_share(every: Duration) -> f64 {
    let spread = (0..).map(|n: u64| first_after(ms(600 + n * 7919 % 900)));
    let (primary, second) =
        (Provider::new("primary").always(Reply::hang()), Provider::new("secondary"));
    let second = second.replies(spread.take(10_000));
    let builder = Client::builder().fallback(secondary()).fallback(Fallback::canned("busy"));
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
async fn no_caller_of_a_quiet_bot_gets_the_canned_reply_while_the_second_target_answers() {
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
        over(Client::builder().profile(profile()).fallback(Fallback::canned("busy")), [&provider]);
    provider.set(first_after(secs(1)));
    for _ in 0..10 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    half_open(&client, &provider, first_after(ms(1050))).await;
    let (answer, took) = timed(&client).await;
    assert_eq!((answer.from(), took), ("primary", ms(1050)));
}

#[tokio::test(start_paused = true)]
async fn a_stored_answer_races_no_target() {
    let (primary, second) = pair();
    let stored = Fallback::stored(secs(3600));
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
    let client = over(builder(profile()).fallback(Fallback::canned("busy")), [&primary, &second]);
    half_open(&client, &primary, Reply::status(503).head_after(secs(3))).await;
    second.set(Reply::status(503));
    second.forget();
    let (answer, took) = timed(&client).await;
    assert_eq!((answer.from(), took), ("canned", secs(3)));
    assert_eq!((primary.count(), second.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_raced_call_logs_all_its_attempts_and_the_probe_that_continues() {
    let (primary, second) = pair();
    let client = over(builder(profile()), [&primary, &second]);
    half_open(&client, &primary, Reply::answer().first_content_after(secs(4))).await;
    let (answer, _) = timed(&client).await;
    let attempt_log = answer.attempt_log.unwrap();
    let log = || -> Vec<_> {
        let attempts = attempt_log.attempts();
        attempts.iter().map(|it| (it.route.provider().to_owned(), it.outcome.name())).collect()
    };
    let told = |probe| vec![("primary".to_owned(), probe), ("secondary".to_owned(), "success")];
    assert_eq!(
        (answer.headers["evenkeel-attempts"].to_str().unwrap(), attempt_log.sent()),
        ("2", 2)
    );
    assert_eq!(log(), told("cancelled"), "it is still under way");
    sleep(secs(5)).await;
    assert_eq!((log(), attempt_log.sent()), (told("success"), 2));
}

// === time ===

/// A client with that many healthy targets below the primary.
fn fallbacks_of(below: usize, profile: Profile) -> ClientBuilder {
    let target = |n: usize| Fallback::target(Target::new(format!("http://third/v{n}")));
    let builder = Client::builder().profile(profile).fallback(secondary());
    (1..below).fold(builder, |builder, n| builder.fallback(target(n)))
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_answers_in_twelve_seconds_is_used_whatever_the_number_of_fallbacks() {
    for below in [1, 2, 5] {
        for stream in [true, false] {
            let (primary, second, third) = trio(first_after(secs(12)));
            let client =
                over(fallbacks_of(below, Profile::interactive()), [&primary, &second, &third]);
            for _ in 0..20 {
                let answer = call(&client, chat(stream)).await.unwrap();
                assert_eq!(answer.from(), "primary", "{below} below");
            }
            assert_eq!((primary.count(), second.count(), third.count()), (20, 0, 0));
        }
    }
}

fn trio(first: Reply) -> (Provider, Provider, Provider) {
    let (primary, second) = pair();
    (primary.always(first), second, Provider::new("third"))
}

#[tokio::test(start_paused = true)]
async fn the_last_target_that_can_be_asked_has_all_that_is_left() {
    // No other target, or only a canned reply; a fallback for another failure; one with too few capabilities.
    let small = Fallback::target(Target::new("http://third/v1"))
        .capabilities(Capabilities::default().context(1));
    let large = Fallback::target(Target::new("http://third/v1")).on([FallbackOn::TooLarge]);
    for below in [None, Some(Fallback::canned("busy")), Some(large), Some(small)] {
        for stream in [true, false] {
            let (primary, second, third) = trio(first_after(secs(28)));
            let builder =
                below.clone().into_iter().fold(Client::builder(), ClientBuilder::fallback);
            let client = over(builder, [&primary, &second, &third]);
            let answer = call(&client, chat(stream)).await.unwrap();
            assert_eq!((answer.from(), third.count()), ("primary", 0), "{below:?}");
        }
    }
    // Below a silent primary: the remaining time.
    let (primary, second, third) = trio(Reply::hang());
    second.set(first_after(ms(9500)));
    let client =
        over(builder(profile()).fallback(Fallback::canned("busy")), [&primary, &second, &third]);
    assert_eq!(call(&client, chat(true)).await.unwrap().from(), "secondary");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_set_holds_at_the_last_target_too() {
    let (primary, _) = pair();
    primary.set(Reply::hang());
    let timeout = TimeoutPolicy::new().first_event(secs(5)).attempt(secs(7));
    let client =
        over(Client::builder().profile(Profile::interactive().timeout(timeout)), [&primary]);
    for (stream, limit) in [(true, secs(5)), (false, secs(7))] {
        let start = Instant::now();
        client.send(chat(stream)).await.unwrap_err();
        assert_eq!(start.elapsed(), limit);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_recovery_does_not_spend_all_its_time_on_one_silent_attempt() {
    let provider = Provider::new("primary").replies([Reply::hang(), Reply::answer()]);
    let client = over(Client::builder().profile(Profile::pipeline()), [&provider]);
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert!((secs(180)..secs(200)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_silent_one_of_equal_targets_is_left_for_the_next() {
    let (primary, second) = pair();
    primary.set(Reply::hang());
    let target = |host| Target::new(format!("http://{host}/v1")).bearer("key");
    let policy = BalancePolicy::default().seed(1);
    let fallback = Fallback::targets(["primary", "secondary"].map(target)).balance(policy);
    let fallbacks = FallbackPolicy::new().first(fallback);
    let client = over(Client::builder().fallback_policy(fallbacks), [&primary, &second]);
    for _ in 0..4 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    assert!(primary.count() > 0, "it was asked");
}

#[tokio::test(start_paused = true)]
async fn a_silent_attempt_counts_as_a_failure_only_where_it_had_about_its_whole_limit() {
    let (primary, second) = pair();
    primary.set(Reply::hang());
    let client = over(builder(profile()), [&primary, &second]);
    for (deadline, phase) in
        [(30, Phase::FirstEvent), (28, Phase::FirstEvent), (12, Phase::Deadline)]
    {
        let request = with_deadline(chat(true), secs(deadline));
        client.breakers().list().iter().for_each(|(route, _)| client.breakers().reset(route));
        let answer = call(&client, request).await.unwrap();
        let first = answer.attempt_log.unwrap().attempts()[0].outcome;
        assert_eq!(first, Outcome::TimedOut { phase }, "{deadline} s");
    }
}

// === bounds of a call ===

#[tokio::test(start_paused = true)]
async fn a_call_with_eight_fallbacks_makes_twice_its_retries_and_one_attempt_at_each() {
    let provider = Provider::new("primary").always(Reply::status(503));
    let client = over(Client::builder(), [&provider]);
    let model = |n: usize| Fallback::target(Target::same_host().model(&format!("model-{n}")));
    let mut request = chat(true);
    request.extensions_mut().insert(Fallbacks::new((0..8).map(model)).unwrap());
    assert_eq!(call(&client, request).await.unwrap().status, 503);
    assert_eq!(provider.count(), 3 + 8 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_have_been_billed_is_repeated_once_in_a_call() {
    let cut = Reply::answer().with(Fault::Cut { words: 5 });
    for reply in [Reply::reset(), Reply::empty(), cut] {
        let (primary, second) = pair();
        primary.set(reply.clone());
        second.set(reply.clone());
        let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
        let _ = call(&client, chat(false)).await;
        assert_eq!((primary.count(), second.count()), (2, 1), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_not_repeated_by_a_hedge_as_well() {
    let profile = Profile::interactive().hedge(HedgePolicy::default());
    let provider = Provider::new("primary").always(Reply::reset());
    let client = over(Client::builder().profile(profile), [&provider]);
    let _ = call(&client, chat(true)).await;
    assert_eq!(provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hedge_counts_as_the_one_repetition_and_as_a_retry() {
    let profile = Profile::interactive().hedge(HedgePolicy::default());
    let provider = Provider::new("primary").always(first_after(ms(200)));
    let client = over(Client::builder().profile(profile), [&provider]);
    for _ in 0..100 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    provider.forget();
    provider.set(Reply::reset().head_after(secs(1)));
    let _ = call(&client, chat(true)).await;
    assert_eq!(provider.count(), 2, "neither copy is sent again");
    provider.forget();
    provider.set(Reply::status(503).head_after(secs(1)));
    let _ = call(&client, chat(true)).await;
    assert_eq!(provider.count(), 3, "a copy and one retry");
}

#[tokio::test(start_paused = true)]
async fn a_reserve_that_was_set_is_time_enough_for_the_target_below() {
    let (primary, second) = pair();
    primary.set(Reply::hang());
    second.set(first_after(ms(100)));
    let fallbacks = FallbackPolicy::new()
        .first(Fallback::original_request().reserve(ms(300)))
        .fallback(secondary());
    let client = over(Client::builder().fallback_policy(fallbacks), [&primary, &second]);
    assert_eq!(call(&client, chat(true)).await.unwrap().from(), "secondary");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_waited_for_its_turn_until_there_is_no_time_for_it_is_not_sent() {
    let provider = Provider::new("primary").always(Reply::answer().head_after(ms(1999)));
    let limit = LimitPolicy::default().concurrency(Concurrency::Fixed(1));
    let client = over(Client::builder().profile(profile().limit(limit)), [&provider]);
    let first = tokio::spawn({
        let client = client.clone();
        async move { call(&client, chat(false)).await }
    });
    tokio::task::yield_now().await;
    let request = with_deadline(chat(false), secs(2));
    assert!(client.send(request).await.is_err());
    first.await.unwrap().unwrap().is_whole();
    assert_eq!(provider.count(), 1, "with a millisecond left nothing is sent");
}

#[tokio::test(start_paused = true)]
async fn time_in_our_own_queue_does_not_make_a_call_late() {
    let provider = Provider::new("primary").always(first_after(ms(200)));
    let limit = LimitPolicy::default().concurrency(Concurrency::Fixed(1));
    let profile = Profile::interactive().limit(limit).hedge(HedgePolicy::default());
    let client = over(Client::builder().profile(profile), [&provider]);
    for _ in 0..100 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    provider.forget();
    let calls = (0..10).map(|_| call(&client, chat(true)));
    for answer in join_all(calls).await {
        answer.unwrap().is_whole();
    }
    assert_eq!(provider.count(), 10, "no second copy");
}

fn failing() -> impl Strategy<Value = Reply> {
    let cut = Reply::answer().with(Fault::Cut { words: 5 });
    prop::sample::select(vec![
        Reply::status(503),
        Reply::status(500).head_after(secs(1)),
        Reply::reset(),
        Reply::empty(),
        Reply::html(),
        Reply::hang(),
        cut,
        Reply::answer(),
    ])
}

/// The number of attempts that followed, at the same target, an attempt that may be charged.
fn repetitions(attempts: &[Attempt]) -> usize {
    let paid = |at: &usize| {
        let ended = &attempts[*at];
        let again = attempts[at + 1..].iter().any(|attempt| attempt.fallback == ended.fallback);
        ended.outcome.retry_at_most_once() && again
    };
    (0..attempts.len()).filter(paid).count()
}

#[test]
fn law_a_call_stays_within_its_bounds_whatever_its_fallbacks_do() {
    let replies = proptest::collection::vec(failing(), 40);
    let cases = (replies, 0..=8_usize, 0..=4_u32, any::<bool>(), any::<bool>());
    check_property(400, cases, |(replies, fallbacks, retries, hedged, stream)| {
        in_virtual_time(async move {
            let provider = Provider::new("primary").replies(replies);
            let retry = RetryPolicy::default().retries(retries).seed(1);
            let hedge = hedged.then(HedgePolicy::default);
            let profile = Profile::interactive().retry(retry).hedge(hedge);
            let client = over(Client::builder().profile(profile), [&provider]);
            let model =
                |n: usize| Fallback::target(Target::same_host().model(&format!("model-{n}")));
            let mut request = chat(stream);
            request.extensions_mut().insert(Fallbacks::new((0..fallbacks).map(model)).unwrap());
            let start = Instant::now();
            let result = client.send(request).await;
            prop_assert!(start.elapsed() <= secs(30));
            let attempt_log = match &result {
                Ok(response) => AttemptLog::of(response.extensions()),
                Err(error) => error.attempt_log().cloned().unwrap_or_default(),
            };
            let below = if fallbacks > 0 { retries as usize } else { 0 };
            let most = 1 + fallbacks + retries as usize + below + usize::from(hedged);
            prop_assert!(
                provider.count() <= most as u64,
                "{} of {most}: {attempt_log}",
                provider.count()
            );
            prop_assert!(repetitions(&attempt_log.attempts()) <= 1, "{attempt_log:?}");
            Ok(())
        })
    });
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_recovery_pays_for_a_few_useless_answers_and_no_more() {
    let cut = Reply::answer().with(Fault::Cut { words: 5 });
    for reply in [Reply::empty(), cut] {
        let provider = Provider::new("primary").always(reply.clone());
        let breaker = BreakerPolicy::default().consecutive_failures(None).failure_ratio(None);
        let profile = Profile::pipeline().breaker(breaker);
        let client = over(Client::builder().profile(profile), [&provider]);
        let _ = client.send(chat(false)).await;
        assert_eq!(provider.count(), 2 + 5, "{reply:?}");
    }
}
