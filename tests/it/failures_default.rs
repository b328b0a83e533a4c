//! Failing providers with the default limits, at full length in virtual time, with two targets: first the sixteen common
//! failures, then further failures of proxies, CDNs, slow servers and faulty gateways.
//!
//! Each test asserts the right result, and excludes the wrong one. Streams that break after they were passed on are tested twice:
//! for a person who reads along, and gets a clear error; and for a text that has to be complete, and is whole.

use bytes::Bytes;
use evenkeel::{
    Body, BoxError, Client, Profile, Request,
    breaker::{BreakerPolicy, CircuitState},
    classify::ClassifyPolicy,
    fallback::Fallback,
    outcome::{Outcome, Phase, Rejection},
    retry::RetryPolicy,
    stream::CommitPolicy,
    telemetry::EventKind,
};
use evenkeel_testkit::{Fault, Provider, Reply, WORDS, provider::AttemptState};
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::{Instant, sleep, sleep_until};
use tower::service_fn;

use crate::support::{
    Stage, call, chat, committing, ms, over, pair, read, secondary, secs, state_of,
};

const BUSY: &str = "We are very busy. A colleague will write to you today.";

/// A stage for a text that has to be complete.
fn complete(primary: Provider) -> Stage {
    Stage::with(primary, Client::builder().profile(committing(CommitPolicy::Complete)))
}

fn primary() -> Provider {
    Provider::new("primary")
}

fn once(reply: Reply) -> Provider {
    primary().replies([reply])
}

fn always(reply: Reply) -> Provider {
    primary().always(reply)
}

// === the sixteen failures ===

#[tokio::test(start_paused = true)]
async fn a_rate_limit_with_a_wait_of_two_seconds_is_waited_for() {
    for stream in [true, false] {
        let stage = Stage::new(once(Reply::rate_limited(Some(secs(2)))));
        stage.ask(stream).await.is_whole();
        let times = stage.times();
        assert_eq!((times.len(), stage.second.count()), (2, 0));
        assert!(times[1] - times[0] >= ms(1800), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_without_a_wait_is_backed_off_from_and_then_left() {
    for stream in [true, false] {
        let stage = Stage::new(always(Reply::rate_limited(None)));
        let answer = stage.ask(stream).await;
        answer.is_whole();
        assert_eq!(answer.from(), "secondary");
        let times = stage.times();
        assert!((2..=4).contains(&times.len()), "it tries again, and not often: {times:?}");
        assert!(times.windows(2).all(|two| two[1] - two[0] >= ms(50)), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_are_limited_together_do_not_come_back_together() {
    let breaker = BreakerPolicy::default().failure_ratio(None);
    let retry = RetryPolicy::default().seed(1);
    let profile = Profile::interactive().breaker(breaker).retry(retry);
    let limited = always(Reply::rate_limited(None));
    let stage = Stage::with(limited, Client::builder().profile(profile));
    futures_util::future::join_all((0..8).map(|_| stage.ask(true))).await;
    let mut times = stage.times();
    times.retain(|time| !time.is_zero());
    assert!(times.len() >= 10, "the reserve of the route: {times:?}");
    times.dedup();
    assert!(times.len() >= 8, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_single_500_is_retried_on_the_same_target() {
    for stream in [true, false] {
        let stage = Stage::new(once(Reply::status(500)));
        let answer = stage.ask(stream).await;
        answer.is_whole();
        assert_eq!((answer.from(), stage.primary.count()), ("primary", 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_503_that_stays_is_left_for_the_fallback() {
    for stream in [true, false] {
        let stage = Stage::new(always(Reply::status(503)));
        let answer = stage.ask(stream).await;
        answer.is_whole();
        assert_eq!((answer.from(), stage.primary.count()), ("secondary", 3));
        assert!(stage.start.elapsed() < secs(1), "{:?}", stage.start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_before_any_byte_is_retried() {
    for stream in [true, false] {
        let stage = Stage::new(once(Reply::reset()));
        stage.ask(stream).await.is_whole();
        assert_eq!((stage.primary.count(), stage.second.count()), (2, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_provider_is_asked_once() {
    for stream in [true, false] {
        let stage = Stage::new(always(Reply::answer().head_after(secs(120))));
        let answer = stage.ask(stream).await;
        answer.is_whole();
        assert_eq!((answer.from(), stage.primary.count()), ("secondary", 1));
        assert_eq!(stage.start.elapsed(), secs(20));
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_token_after_half_a_minute_is_not_waited_for() {
    let stage = Stage::new(always(Reply::answer().first_content_after(secs(30))));
    let answer = stage.ask(true).await;
    answer.is_whole();
    assert_eq!((answer.from(), stage.primary.count()), ("secondary", 1));
    assert!(stage.start.elapsed() <= secs(22), "{:?}", stage.start.elapsed());
}

fn dies() -> Reply {
    Reply::answer().with(Fault::Cut { words: 40 }).between_events(ms(50))
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_while_read_is_a_clear_error() {
    let stage = Stage::new(always(dies()));
    let answer = stage.ask(true).await;
    let error = answer.error.as_ref().expect("a cut answer never looks like a whole one");
    assert!(error.is_truncated());
    assert_eq!(answer.words().split_whitespace().count(), 40);
    assert_eq!((stage.primary.count(), stage.second.count()), (1, 0), "not asked behind his back");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_dies_is_restarted_where_it_has_to_be_complete() {
    for provider in [once(dies()), always(dies())] {
        let stage = complete(provider);
        stage.ask(true).await.is_whole();
        assert!(stage.primary.count() <= 3, "{}", stage.primary.count());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_streamed_and_dies_is_asked_again() {
    let stage = Stage::new(once(dies()));
    stage.ask(false).await.is_whole();
    assert_eq!((stage.primary.count(), stage.second.count()), (2, 0));
}

fn goes_silent() -> Reply {
    Reply::answer().with(Fault::Silence { words: 20, lasts: secs(30) })
}

#[tokio::test(start_paused = true)]
async fn silence_within_a_stream_is_noticed_in_time() {
    let stage = Stage::new(once(goes_silent()));
    let answer = stage.ask(true).await;
    let error = answer.error.as_ref().expect("a truncated success is wrong");
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Idle });
    assert_eq!(stage.start.elapsed(), secs(15));
    assert_eq!(stage.primary.attempts()[0].state, AttemptState::Cancelled);
    stage.ask(true).await.is_whole();
    assert_eq!(stage.primary.count(), 2, "healthy afterwards");
}

#[tokio::test(start_paused = true)]
async fn silence_within_a_stream_moves_down_where_it_has_to_be_complete() {
    let stage = complete(always(goes_silent()));
    let answer = stage.ask(true).await;
    answer.is_whole();
    assert_eq!((answer.from(), stage.primary.count()), ("secondary", 1));
    assert!(stage.start.elapsed() < secs(45), "{:?}", stage.start.elapsed());
    let stage = Stage::new(always(goes_silent()));
    stage.ask(false).await.is_whole();
    assert_eq!(stage.primary.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn invalid_json_within_a_stream_is_a_clear_error() {
    let invalid = Reply::answer().with(Fault::InvalidEvent { event: 10 });
    let stage = Stage::new(always(invalid.clone()));
    let answer = stage.ask(true).await;
    let error = answer.error.expect("partial text is no answer");
    assert_eq!(error.outcome(), Outcome::Malformed);

    let stage = complete(always(invalid.clone()));
    let answer = stage.ask(true).await;
    answer.is_whole();
    assert_eq!(answer.from(), "secondary");
    let stage = Stage::new(once(invalid));
    stage.ask(false).await.is_whole();
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_its_sentinel_is_whole_at_once_with_its_usage() {
    for stage in [Stage::new, complete] {
        let stage = stage(always(Reply::answer().with(Fault::NoDone)));
        let response = stage.client.send(chat(true)).await.unwrap();
        let usage = response.extensions().get::<evenkeel::dialect::UsageHandle>().unwrap().clone();
        read(response).await.is_whole();
        assert_eq!(stage.start.elapsed(), secs(0));
        assert_eq!(usage.get().map(|tokens| (tokens.input, tokens.output)), Some((12, 60)));
        assert_eq!((stage.primary.count(), stage.second.count()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_open_after_the_finish_reason_is_no_failure() {
    let log =
        r#"data: {"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":"stop"}]}"#;
    let open = service_fn(move |_: Request| async move {
        let word = stream::iter([Ok::<_, BoxError>(Frame::data(format!("{log}\n\n").into()))]);
        let body = Body::wrap(StreamBody::new(word.chain(stream::pending())));
        let head = http::Response::builder().header("content-type", "text/event-stream");
        head.body(body).map_err(|_| Outcome::Malformed.into())
    });
    let whole = ClassifyPolicy::default().commit(CommitPolicy::Complete);
    // Whole after a wait for the usage that was asked for; passed on at once, and ended when the silence is too long.
    for (classify, head, end) in
        [(whole, secs(5), secs(5)), (ClassifyPolicy::default(), secs(0), secs(15))]
    {
        let profile = Profile::interactive().classify(classify);
        let client = Client::builder().profile(profile).build_with(open).unwrap();
        let start = Instant::now();
        let response = client.send(chat(true)).await.unwrap();
        assert_eq!(start.elapsed(), head);
        let answer = read(response).await;
        assert!(answer.error.is_none() && answer.words() == "word", "{answer:?}");
        assert_eq!(start.elapsed(), end);
        assert_eq!(client.breakers().list()[0].1.failure_ratio, Some(0.0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_too_large_goes_once_to_each_target() {
    for stream in [true, false] {
        let stage = Stage::new(always(Reply::context_length_exceeded()));
        let answer = stage.ask(stream).await;
        answer.is_whole();
        assert_eq!((stage.primary.count(), stage.second.count()), (1, 1));
        assert_eq!(answer.attempt_log.unwrap().attempts()[0].outcome, Outcome::TooLarge);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_content_reaches_the_caller_and_is_not_routed_around() {
    for stream in [true, false] {
        let stage = Stage::new(always(Reply::content_policy_violation()));
        let answer = stage.ask(stream).await;
        assert_eq!(answer.status, 400);
        assert!(std::str::from_utf8(&answer.bytes()).unwrap().contains("content_policy_violation"));
        let verdict = answer.verdict.as_ref().unwrap();
        assert_eq!(verdict.outcome(), Outcome::Blocked);
        assert_eq!(verdict.code().unwrap().as_str(), "content_policy_violation");
        assert_eq!((stage.primary.count(), stage.second.count()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_within_a_stream_is_reported_as_one() {
    let filtered = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}"#;
    let stream = Reply::pieces("text/event-stream", [format!("{filtered}\n\ndata: [DONE]\n\n")]);
    let stage = Stage::new(always(stream));
    let answer = stage.ask(true).await;
    assert_eq!(answer.verdict.unwrap().outcome(), Outcome::Blocked);
    assert_eq!((stage.primary.count(), stage.second.count()), (1, 0));
    assert_eq!(state_of(&stage.client, "primary"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_restart_asks_the_same_question_and_no_prefill_hides_the_failure() {
    // The fallback rejects a request that ends with a message of the assistant.
    let stage = complete(always(dies()));
    let answer = stage.ask(true).await;
    answer.is_whole();
    assert_eq!(answer.from(), "secondary");
    assert!(stage.second.attempts().iter().all(|attempt| attempt.messages == 1));
    let attempt_log = answer.attempt_log.unwrap();
    assert_eq!(attempt_log.attempts()[0].outcome, Outcome::Truncated);

    let stage = complete(always(dies()));
    stage.second.set(Reply::error(400, "invalid_request_error", "assistant_prefill"));
    let error = stage.client.send(chat(true)).await.unwrap_err();
    assert!(error.is_truncated(), "the first failure is the one that is seen: {error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_minute_costs_no_answer_and_few_attempts() {
    for run in 0..20 {
        let stage = Stage::new(primary().during(secs(0)..secs(60), Reply::status(503)));
        let mut back = None;
        // Twenty calls, and then calls until the primary has to be in use again.
        for n in 0..23 {
            sleep_until(stage.start + n * secs(4)).await;
            let asked = Instant::now();
            let answer = stage.ask(run % 2 == 0).await;
            answer.is_whole();
            assert!(asked.elapsed() < secs(2), "call {n} took {:?}", asked.elapsed());
            if answer.from() == "primary" {
                back = back.or(Some(stage.start.elapsed()));
            }
        }
        let dead = stage.times().iter().filter(|time| **time < secs(60)).count();
        assert!(dead <= 9, "{dead} attempts at a dead provider");
        let back = back.expect("it goes back");
        assert!(back >= secs(60) && back <= secs(90), "{back:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_caller_sees_the_model_and_the_usage_of_the_target_that_answered() {
    for stream in [true, false] {
        let stage = Stage::new(always(Reply::status(503)));
        let response = stage.client.send(chat(stream)).await.unwrap();
        let usage = response.extensions().get::<evenkeel::dialect::UsageHandle>().unwrap().clone();
        let answer = read(response).await;
        let text = answer.bytes();
        let text = std::str::from_utf8(&text).unwrap();
        assert!(text.contains(r#""model":"spare""#) && !text.contains(r#""model":"m""#), "{text}");
        assert!(text.contains(r#""completion_tokens":60"#));
        assert_eq!(usage.get().map(|tokens| tokens.output), Some(60), "and of that one only");
        let attempt_log = answer.attempt_log.unwrap();
        let good = attempt_log.attempts().iter().filter(|a| a.outcome.is_success()).count();
        assert_eq!((good, attempt_log.served_by().as_deref()), (1, Some("spare")));
    }
}

// === proxies and content networks ===

const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>…</body></html>";

#[tokio::test(start_paused = true)]
async fn a_proxy_page_with_502_is_returned_only_where_no_answer_is() {
    let page = Reply::raw(502, "text/html", PAGE).header("server", "nginx");
    let stage = Stage::new(always(page.clone()));
    assert_eq!(stage.ask(true).await.from(), "secondary");
    let alone = over(Client::builder(), [&always(page)]);
    let answer = call(&alone, chat(true)).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.bytes()[..]), (502, PAGE.as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn a_login_page_with_200_is_never_an_answer() {
    for kind in ["text/html", "application/json", "text/event-stream", "text/plain"] {
        for stream in [true, false] {
            let stage = Stage::new(always(Reply::raw(200, kind, PAGE)));
            let answer = stage.ask(stream).await;
            answer.is_whole();
            assert_eq!(answer.from(), "secondary", "{kind}");
        }
    }
    let alone = over(Client::builder(), [&always(Reply::raw(200, "text/html", PAGE))]);
    let error = alone.send(chat(true)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Malformed);
}

#[tokio::test(start_paused = true)]
async fn foreign_json_with_200_is_never_an_answer() {
    for body in
        [r#"{"status":"ok"}"#, "null", "[]", r#""ok""#, "{}", "42", "true", r#"{"choices":[]}"#]
    {
        for stream in [true, false] {
            let stage = Stage::new(always(Reply::raw(200, "application/json", body)));
            let answer = stage.ask(stream).await;
            assert_eq!(answer.from(), "secondary", "{body}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_with_200_is_classified() {
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let gone = r#"{"error":{"code":"insufficient_quota","message":"…"}}"#;
    for (body, attempts, name) in [(overloaded, 3, "unavailable"), (gone, 1, "quota_exhausted")] {
        for stream in [true, false] {
            let stage = Stage::new(always(Reply::raw(200, "application/json", body)));
            let answer = stage.ask(stream).await;
            answer.is_whole();
            assert_eq!(stage.primary.count(), attempts, "{body}");
            assert_eq!(answer.attempt_log.unwrap().attempts()[0].outcome.name(), name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn json_that_a_proxy_cut_cleanly_is_asked_for_again() {
    // The length is right, the JSON is truncated: a buffer was too small.
    let cut =
        r#"{"id":"a","choices":[{"index":0,"message":{"role":"assistant","content":"Your par"#;
    let stage = Stage::new(once(Reply::raw(200, "application/json", cut)));
    stage.ask(false).await.is_whole();
    assert_eq!((stage.primary.count(), stage.second.count()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_block_page_with_403_moves_down_and_does_not_count_against_the_provider() {
    let stage =
        Stage::new(always(Reply::raw(403, "text/html", "<h1>Sorry, you have been blocked</h1>")));
    for _ in 0..10 {
        assert_eq!(stage.ask(true).await.from(), "secondary");
    }
    assert_eq!(
        (state_of(&stage.client, "primary"), stage.primary.count()),
        (CircuitState::Closed, 10)
    );
}

#[tokio::test(start_paused = true)]
async fn a_redirect_moves_down_without_a_retry() {
    for status in [301, 302, 307, 308] {
        let stage = Stage::new(always(
            Reply::raw(status, "text/html", "").header("location", "http://secondary/"),
        ));
        assert_eq!(stage.ask(true).await.from(), "secondary");
        assert_eq!((stage.primary.count(), stage.second.count()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_falsely_labelled_gzip_is_malformed() {
    let garbage: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let reply = Reply::raw(200, "application/json", garbage).header("content-encoding", "gzip");
    for stream in [true, false] {
        let stage = Stage::new(always(reply.clone()));
        let answer = stage.ask(stream).await;
        answer.is_whole();
        assert_eq!((answer.from(), stage.primary.count()), ("secondary", 2));
        assert_eq!(answer.attempt_log.unwrap().attempts()[0].outcome, Outcome::Malformed);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_body_of_ten_megabytes_is_read_up_to_a_bound() {
    let huge: Bytes = std::iter::repeat_n(b' ', 10 << 20).collect::<Vec<_>>().into();
    let error = Bytes::from_static(br#"{"error":{"code":"insufficient_quota"}}"#);
    let pieces: Vec<Bytes> =
        [error].into_iter().chain(huge.chunks(65_536).map(Bytes::copy_from_slice)).collect();
    let body = pieces.concat();
    let reply = Reply::raw(500, "application/json", body.clone())
        .with(Fault::Drip { bytes: 65_536, every: ms(20) });
    let stage = Stage::new(always(reply.clone()));
    let answer = stage.ask(true).await;
    answer.is_whole();
    assert_eq!(
        (answer.from(), stage.primary.count()),
        ("secondary", 1),
        "its code was at the front"
    );
    assert!(stage.start.elapsed() < ms(100), "{:?}", stage.start.elapsed());
    assert_eq!(stage.primary.in_flight(), 0);

    let alone = over(Client::builder(), [&always(reply)]);
    let answer = call(&alone, chat(true)).await.unwrap();
    assert!(answer.error.is_none() && answer.bytes() == body, "all of it, to whom wants it");
}

// === tired servers ===

#[tokio::test(start_paused = true)]
async fn no_call_waits_for_a_day_because_of_a_hint() {
    let tomorrow = Reply::status(503).retry_after(secs(86_400));
    let stage = Stage::new(primary().during(secs(0)..secs(60), tomorrow));
    for n in 0..300_u32 {
        sleep_until(stage.start + n * secs(4)).await;
        let asked = Instant::now();
        stage.ask(true).await.is_whole();
        assert_eq!(asked.elapsed(), secs(0));
    }
    let times = stage.times();
    let back = times.iter().find(|time| **time > secs(60)).expect("it goes back");
    assert!(
        *back < secs(60) + secs(720),
        "{back:?}: a hint closes the route for ten minutes at most"
    );
    assert!(times.iter().filter(|time| **time < secs(60)).count() <= 5, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_zero_or_in_the_past_does_not_spin() {
    for wait in ["0", "0.0", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", ""] {
        let stage = Stage::new(always(Reply::rate_limited(None).header("retry-after", wait)));
        stage.ask(true).await.is_whole();
        let times = stage.times();
        assert!(
            times.len() <= 3 && times.windows(2).all(|two| two[1] - two[0] >= ms(50)),
            "{wait}: {times:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_500_whose_body_never_ends_holds_a_call_for_seconds_at_most() {
    for body in [Reply::raw(500, "application/json", "{"), Reply::raw(429, "application/json", "")]
    {
        let endless = body.with(Fault::Comments { every: ms(100), count: u32::MAX });
        let stage = Stage::new(always(endless));
        let answer = stage.ask(true).await;
        answer.is_whole();
        assert!(stage.start.elapsed() < secs(10), "{:?}", stage.start.elapsed());
        assert_eq!((stage.primary.in_flight(), stage.primary.count()), (0, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn headers_and_then_nothing_is_silence() {
    let stage = Stage::new(always(Reply::answer().with(Fault::stall(0))));
    let answer = stage.ask(true).await;
    answer.is_whole();
    assert_eq!(
        (answer.from(), stage.start.elapsed(), stage.primary.count()),
        ("secondary", secs(20), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_comments_and_pings_are_silence() {
    let role = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
    let tick = format!("{role}\n\n: PROCESSING\n\nevent: ping\ndata: {{}}\n\n");
    // A number that exceeds the bound on the bytes held back.
    for (ticks, every) in [(40, secs(1)), (40, ms(700))] {
        let busy = Reply::pieces("text/event-stream", vec![tick.clone(); ticks]);
        let busy = busy.with(Fault::Drip { bytes: tick.len(), every });
        let stage = Stage::new(always(busy));
        let answer = stage.ask(true).await;
        assert_eq!((answer.from(), stage.primary.count()), ("secondary", 1));
        assert_eq!(stage.start.elapsed(), secs(20));
    }
}

#[tokio::test(start_paused = true)]
async fn a_529_without_a_body_is_an_outage() {
    let stage = Stage::new(always(Reply::raw(529, "application/json", "")));
    for _ in 0..4 {
        stage.ask(true).await.is_whole();
        sleep(secs(1)).await;
    }
    assert_eq!(
        (state_of(&stage.client, "primary"), stage.primary.count()),
        (CircuitState::Open, 5)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_every_other_attempt_is_asked_twice_and_costs_no_answer() {
    let replies = (0..400).map(|n| if n % 2 == 0 { Reply::status(500) } else { Reply::answer() });
    let stage = Stage::new(primary().replies(replies));
    for _ in 0..200 {
        let answer = stage.ask(true).await;
        answer.is_whole();
        assert_eq!(answer.from(), "primary");
        sleep(ms(500)).await;
    }
    let extra = |event: &&EventKind| matches!(event, EventKind::RetryWaiting { .. });
    let extra = stage.log.events().iter().filter(extra).count();
    assert_eq!(extra, 200);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_becomes_slower_is_left_before_it_fails() {
    let stage = Stage::new(always(Reply::answer()));
    for _ in 0..5 {
        stage.ask(true).await.is_whole();
    }
    stage.primary.set(Reply::answer().first_content_after(secs(17)));
    sleep(secs(31)).await;
    let calls = (0..12).map(|n| {
        let stage = &stage;
        async move {
            sleep(ms(n * 100)).await;
            stage.ask(true).await.is_whole();
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(state_of(&stage.client, "primary"), CircuitState::Open);
    let asked = Instant::now();
    assert_eq!(stage.ask(true).await.from(), "secondary");
    assert_eq!(asked.elapsed(), secs(0));
}

/// The number of failures of 600 calls in five minutes, at a server that is down except for two seconds in each twenty.
async fn failures_at_a_server_that_is_well_for_a_moment_only() -> usize {
    let mut provider = primary();
    for n in 0..15 {
        provider = provider.during(secs(20 * n)..secs(20 * n + 18), Reply::status(502));
    }
    let stage = Stage::new(provider);
    for n in 0..600_u32 {
        sleep_until(stage.start + n * ms(500)).await;
        stage.ask(true).await.is_whole();
    }
    let failed = stage.log.events().into_iter().filter(|event| match event {
        EventKind::AttemptEnded { verdict, route, .. } => {
            route.provider() == "primary"
                && verdict.outcome() == Outcome::Unavailable { wait: None }
        }
        _ => false,
    });
    failed.count()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_recovers_for_a_moment_does_not_get_all_calls_back() {
    const DAYS: usize = 8;
    let mut failed = Vec::new();
    for seed in 0..DAYS as u64 {
        fastrand::seed(seed);
        failed.push(failures_at_a_server_that_is_well_for_a_moment_only().await);
    }
    // The times of the probes are random: a few days are worse than one failure in ten calls.
    let all: usize = failed.iter().sum();
    assert!(all <= 60 * DAYS, "failures in 600 calls: {failed:?}");
}

#[tokio::test(start_paused = true)]
async fn an_error_event_before_the_first_token_is_no_part_of_the_answer() {
    let said = r#"{"error":{"message":"Rate limit reached. Please try again in 2s.","code":"rate_limit_exceeded"}}"#;
    let limited = Reply::answer().with(Fault::ErrorEvent { words: 0, data: said.into() });
    let stage = Stage::new(once(limited));
    let answer = stage.ask(true).await;
    answer.is_whole();
    assert_eq!(answer.from(), "primary");
    assert!(stage.times()[1] >= secs(2), "the wait in its text is kept: {:?}", stage.times());
}

// === careless gateways ===

#[tokio::test(start_paused = true)]
async fn a_second_sentinel_and_text_after_the_sentinel_change_nothing() {
    let word =
        r#"data: {"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":"stop"}]}"#;
    let done = "data: [DONE]\n\n";
    let after = r#"data: {"error":{"message":"stream closed","code":"server_error"}}"#;
    for tail in [done.to_owned(), format!("{word}\n\n"), format!("{after}\n\n"), "rubbish".into()] {
        let pieces = [format!("{word}\n\n"), done.into(), tail.clone()];
        for stage in [Stage::new, complete] {
            let stage = stage(always(Reply::pieces("text/event-stream", pieces.clone())));
            let answer = stage.ask(true).await;
            assert!(answer.error.is_none(), "{tail}");
            assert_eq!((answer.bytes(), stage.primary.count()), (pieces.concat().into(), 1));
            assert_eq!(state_of(&stage.client, "primary"), CircuitState::Closed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_that_a_gateway_does_not_have_moves_down_once() {
    let not_found = [
        Reply::raw(404, "text/plain", "404 page not found"),
        Reply::error(404, "invalid_request_error", "model_not_found"),
        Reply::raw(405, "text/plain", "method not allowed"),
    ];
    for reply in not_found {
        let stage = Stage::new(always(reply.clone()));
        let answer = stage.ask(true).await;
        assert_eq!((answer.from(), stage.primary.count()), ("secondary", 1), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_revoked_is_asked_twice_and_then_left_alone_for_seconds() {
    let stage = Stage::new(primary().requires("another-key"));
    for nth in 0..6 {
        let answer = stage.ask(true).await;
        answer.is_whole();
        assert_eq!(answer.from(), "secondary");
        let first = answer.attempt_log.unwrap().attempts()[0].outcome;
        match first {
            Outcome::NotSent { retry_in: Some(wait) } => assert!(nth >= 2 && wait <= secs(6)),
            first => assert_eq!(
                (nth < 2, first),
                (true, Outcome::Rejected { why: Rejection::Credential })
            ),
        }
    }
    assert_eq!(
        (state_of(&stage.client, "primary"), stage.primary.count()),
        (CircuitState::Open, 2)
    );
}

/// The page says nothing about the key, so no breaker opens: the next call may succeed.
#[tokio::test(start_paused = true)]
async fn the_block_page_of_a_firewall_is_no_rejected_key() {
    let page = Reply::raw(403, "text/html", "<!DOCTYPE html><title>Attention Required!</title>");
    let stage = Stage::new(always(page));
    for _ in 0..6 {
        let answer = stage.ask(true).await;
        assert_eq!(answer.from(), "secondary");
        let first = answer.attempt_log.unwrap().attempts()[0].outcome;
        assert_eq!(first, Outcome::Rejected { why: Rejection::Gateway });
    }
    assert_eq!(
        (state_of(&stage.client, "primary"), stage.primary.count()),
        (CircuitState::Closed, 6)
    );
}

#[tokio::test(start_paused = true)]
async fn an_unstreamed_answer_to_a_stream_request_becomes_a_stream() {
    let whole =
        read(tower::ServiceExt::oneshot(Provider::new("p"), chat(false)).await.unwrap()).await;
    let stage = Stage::new(always(Reply::raw(200, "application/json", whole.bytes())));
    let answer = stage.ask(true).await;
    assert_eq!(answer.from(), "primary");
    assert_eq!(answer.words(), WORDS);
    assert!(answer.bytes().starts_with(b"data: ") && answer.bytes().ends_with(b"data: [DONE]\n\n"));
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_retried_and_then_asked_for_elsewhere() {
    let nothing = [
        Reply::empty(),
        Reply::answer().text(""),
        Reply::raw(204, "application/json", ""),
        Reply::pieces("text/event-stream", ["data: [DONE]\n\n"]),
        Reply::pieces("text/event-stream", [": hello\n\n"]),
    ];
    for reply in nothing {
        for stream in [true, false] {
            let stage = Stage::new(always(reply.clone()));
            let answer = stage.ask(stream).await;
            answer.is_whole();
            assert_eq!((answer.from(), stage.primary.count()), ("secondary", 2), "{reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn both_providers_down_for_a_day_leave_a_canned_reply_to_every_call() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    second.set(Reply::hang());
    let builder = Client::builder().fallback(secondary()).fallback(Fallback::canned(BUSY));
    let client = over(builder, [&primary, &second]);
    let start = Instant::now();
    let mut slow = 0;
    for n in 0..1440_u32 {
        sleep_until(start + n * secs(60)).await;
        let asked = Instant::now();
        let answer = call(&client, chat(true)).await.unwrap();
        assert_eq!((answer.from(), answer.words()), ("canned", BUSY.into()));
        assert!(asked.elapsed() < secs(30), "{:?}", asked.elapsed());
        slow += u32::from(asked.elapsed() > secs(1));
    }
    // One probe a minute is one for each call here: never more than one attempt, except for the first calls.
    assert!(primary.count() <= 1445 && second.count() <= 1445);
    assert!(slow > 0, "the probe of a silent provider waits for it");
}
