//! The whole stack over providers in process, in virtual time: properties that span several layers.

mod logs;
mod secrets;
mod spans;
mod telemetry;

use std::{error::Error as _, io};

use evenkeel::{
    Client, Error, Profile, Request, Response,
    breaker::{BreakerPolicy, CircuitState},
    context::{AttemptLog, Deadline, Priority},
    dialect::UsageHandle,
    fallback::{Fallback, Target},
    outcome::{Outcome, Phase, Rejection, Verdict},
    retry::RetryPolicy,
    stream::CommitPolicy,
    telemetry::{EventKind, StopReason},
    timeout::TimeoutPolicy,
};
use evenkeel_testkit::{Fault, Provider, Reply, WORDS, provider::AttemptState};
use http_body_util::BodyExt;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tower::{ServiceExt, service_fn};

use crate::support::{
    Answer, EventLog, NeverReady, call, chat, committing, ms, no_breaker, over, pair, read,
    secondary, secs, state_of, with_body, with_deadline,
};

const BUSY: &str = "We are very busy. A colleague will write to you today.";

fn plain() -> Profile {
    Profile::interactive().breaker(no_breaker())
}

/// The provider's answer to a client without any layer.
async fn bare(reply: &Reply, request: Request) -> Answer {
    let provider = Provider::new("primary").always(reply.clone());
    read(provider.oneshot(request).await.unwrap()).await
}

/// The state of the only breaker.
fn state(client: &Client) -> CircuitState {
    let list = client.breakers().list();
    assert_eq!(list.len(), 1, "{list:?}");
    list[0].1.state
}

// === transparency ===

#[tokio::test(start_paused = true)]
async fn a_final_failure_comes_back_byte_for_byte_with_its_headers() {
    let page = "<html><head><title>502 Bad Gateway</title></head></html>";
    let json = r#"{ "error" : {"message":"No.",  "type":null}}"#;
    let replies = [
        Reply::status(400),
        Reply::raw(401, "application/json; charset=utf-8", json).header("www-authenticate", "x"),
        Reply::status(404),
        Reply::raw(429, "application/json", json).retry_after(secs(300)),
        Reply::quota_exhausted(),
        Reply::raw(500, "text/plain", "\u{0}\u{1}\u{2} no text at all"),
        Reply::raw(502, "text/html", page).header("server", "cdn"),
        Reply::raw(503, "text/html", page).header("x-twice", "kept"),
        Reply::raw(529, "application/json", ""),
        Reply::raw(307, "text/plain", "elsewhere").header("location", "http://elsewhere/"),
        Reply::context_length_exceeded(),
        Reply::content_policy_violation(),
        Reply::raw(418, "application/json", "x".repeat(200_000)),
    ];
    for reply in replies {
        for stream in [false, true] {
            let log = bare(&reply, chat(stream)).await;
            let primary = Provider::new("primary").always(reply.clone());
            let client = over(Client::builder(), [&primary]);
            let answer = call(&client, chat(stream)).await.unwrap();
            assert_eq!(answer.status, log.status);
            assert_eq!(answer.headers, log.headers, "{reply:?}");
            assert_eq!(answer.bytes(), log.bytes(), "{reply:?}");
            assert!(answer.error.is_none());
            assert!(!answer.verdict.unwrap().outcome().is_success(), "{reply:?}");
            assert!(answer.attempt_log.unwrap().served_by().is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_back_byte_for_byte_and_frame_for_frame() {
    let tools = r#"{"choices":[{"index":0,"message":{"tool_calls":[{"id":"a"}]}}],"x":[1, 2]}"#;
    let odd = [
        ": one\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\nda",
        "ta: {\"choices\":[{\"delta\":{\"content\":\"\u{e9}\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
        "data: [DONE]\n\n: after all\n\n",
    ];
    let replies = [
        Reply::answer().header("x-request-id", "req-1"),
        Reply::answer().text("short").between_events(ms(300)),
        Reply::answer().words_per_event(7).first_content_after(secs(3)),
        Reply::answer().with(Fault::NoDone),
        Reply::answer().with(Fault::Comments { every: ms(100), count: 30 }),
        Reply::answer().with(Fault::Drip { bytes: 11, every: ms(1) }),
        Reply::raw(200, "application/json", tools),
        Reply::raw(201, "application/json", format!("\n\n  {tools}\n")),
        Reply::pieces("text/event-stream", odd),
        Reply::raw(200, "application/json", format!("{}{tools}", " ".repeat(300_000))),
    ];
    for reply in replies {
        for (stream, profile) in [
            (false, plain()),
            (true, plain()),
            (true, committing(CommitPolicy::Complete).breaker(no_breaker())),
        ] {
            let log = bare(&reply, chat(stream)).await;
            // An answer in the other form is converted.
            if log.headers["content-type"].as_bytes().starts_with(b"text/event") != stream {
                continue;
            }
            let primary = Provider::new("primary").always(reply.clone());
            let client = over(Client::builder().profile(profile), [&primary]);
            let answer = call(&client, chat(stream)).await.unwrap();
            assert_eq!((answer.status, &answer.headers), (log.status, &log.headers));
            assert_eq!(answer.bytes(), log.bytes(), "{reply:?}");
            if log.headers["content-type"] == "text/event-stream" {
                assert_eq!(answer.frames, log.frames, "{reply:?}");
            }
            assert!(answer.error.is_none(), "{reply:?} {:?}", answer.error);
            assert_eq!(primary.count(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_holds_its_attempt_log_and_its_verdict() {
    let cases: [(Reply, bool, Outcome); 5] = [
        (Reply::answer(), true, Outcome::Success),
        (Reply::status(503), true, Outcome::Success),
        (Reply::status(503), false, Outcome::Unavailable { wait: None }),
        (
            Reply::error(400, "invalid_request_error", "invalid_value"),
            true,
            Outcome::Rejected { why: Rejection::Request },
        ),
        (Reply::raw(400, "application/json", "{}"), false, Outcome::Declined),
    ];
    for (reply, canned, outcome) in cases {
        for stream in [false, true] {
            let primary = Provider::new("primary").always(reply.clone());
            let mut builder = Client::builder();
            if canned {
                builder = builder.fallback(Fallback::canned(BUSY));
            }
            let response = over(builder, [&primary]).send(chat(stream)).await.unwrap();
            let verdict = response.extensions().get::<Verdict>().expect("a verdict");
            assert_eq!(verdict.outcome(), outcome, "{reply:?}");
            let attempt_log = response.extensions().get::<AttemptLog>().expect("an attempt log");
            assert_eq!(u64::from(attempt_log.sent()), primary.count());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_path_without_a_dialect_passes_unchanged() {
    let reply = Reply::raw(200, "application/octet-stream", vec![0_u8, 255, 13, 10]);
    let primary = Provider::new("primary").always(reply);
    let client = over(Client::builder().fallback(Fallback::canned(BUSY)), [&primary]);
    let request = http::Request::post("http://primary/v1/audio/speech").body("{}".into()).unwrap();
    let answer = call(&client, request).await.unwrap();
    assert_eq!((&answer.bytes()[..], answer.error.is_none()), (&[0, 255, 13, 10][..], true));
    assert_eq!(answer.verdict.unwrap().outcome(), Outcome::Success);
}

#[tokio::test(start_paused = true)]
async fn errors_keep_their_source_and_their_outcome() {
    let primary = Provider::new("primary").always(Reply::reset());
    let client = over(Client::builder(), [&primary]);
    let error = client.send(chat(true)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::ConnectionLost);
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.expect("the transport's own").kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(error.attempt_log().unwrap().sent(), 2, "once more, as it may be billed");

    primary.set(Reply::refused());
    let error = client.send(chat(false)).await.unwrap_err();
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.expect("the transport's own").kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.is_connect() && !error.is_timeout());

    let silent = Provider::new("primary").always(Reply::hang());
    let error = over(Client::builder(), [&silent]).send(chat(true)).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_connect());
    assert_eq!(error.attempt_log().unwrap().sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_body_keeps_its_source_and_its_attempt_log() {
    let primary = Provider::new("primary")
        .replies([Reply::status(500)])
        .always(Reply::answer().with(Fault::ResetAfter { bytes: 2000 }));
    let answer = call(&over(Client::builder(), [&primary]), chat(true)).await.unwrap();
    let error = answer.error.expect("it was cut");
    assert!(error.is_truncated());
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.expect("the transport's own").kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(error.attempt_log().expect("an attempt log").sent(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_during_the_retries_does_not_hide_the_failure() {
    // The second attempt would be refused: the caller gets the provider's answer, not the breaker's. A call's own attempts are
    // one call.
    for (rule, sent) in [(1, 1), (2, 3), (3, 3)] {
        let primary = Provider::new("primary").always(Reply::status(503));
        let policy = BreakerPolicy::default().consecutive_failures(rule);
        let builder = Client::builder().profile(Profile::interactive().breaker(policy));
        let answer = call(&over(builder, [&primary]), chat(false)).await.expect("its answer");
        assert_eq!(answer.status, 503);
        assert_eq!(primary.count(), u64::from(sent));
        assert_eq!(answer.attempt_log.unwrap().sent(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_others_open_during_a_wait_does_not_hide_the_failure() {
    let long = RetryPolicy::default().base(secs(3)).seed(1);
    for reply in [Reply::status(503), Reply::refused()] {
        let primary = Provider::new("primary").replies([reply.clone()]);
        let profile = Profile::interactive().retry(long.clone());
        let client = over(Client::builder().profile(profile), [&primary]);
        let first = tokio::spawn(client.send(chat(false)));
        sleep(ms(1)).await;
        let (route, _) = client.breakers().list().remove(0);
        client.breakers().force_open(&route);
        match first.await.unwrap() {
            Ok(response) => assert_eq!(response.status(), 503),
            Err(error) => assert!(error.is_connect(), "{error:?}"),
        }
        assert_eq!(primary.count(), 1);
    }
}

// === the request ===

#[tokio::test(start_paused = true)]
async fn a_request_arrives_as_it_was_sent_at_every_attempt() {
    let body = format!(r#"{{"model":"m",  "messages":[{}]}}"#, "1 ,".repeat(50_000) + "1");
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    let upstream = service_fn(move |request: Request| {
        log.lock().unwrap().push((request.headers().clone(), request.body().clone()));
        async { Err::<Response, _>(Error::new(Outcome::Unreachable)) }
    });
    let client = Client::builder().build_with(upstream).unwrap();
    let request = with_body(body.clone());
    let (headers, bytes) = (request.headers().clone(), request.body().clone());
    client.send(request).await.unwrap_err();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    for (there, body) in seen.iter() {
        assert_eq!((there, body), (&headers, &bytes));
        assert_eq!(body.as_ptr(), bytes.as_ptr(), "shared, not copied");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_of_100_kib_goes_down_the_fallbacks_whole() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let content = "where is my parcel? ".repeat(5 * 1024);
    let messages = serde_json::json!([{"role": "user", "content": content}]);
    let body = serde_json::json!({"model": "m", "messages": messages, "stream": true});
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    call(&client, with_body(body.to_string())).await.unwrap().is_whole();
    let sent = second.attempts();
    assert_eq!((sent[0].messages, sent[0].model.as_deref()), (1, Some("spare")));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_json_has_the_providers_own_answer_and_a_canned_one() {
    for (body, outage) in [("not json", false), ("not json", true), ("[1,2]", true), ("{", true)] {
        let wrong = Reply::error(400, "invalid_request_error", "invalid_json");
        let reply = if outage { Reply::status(503) } else { wrong };
        let (primary, second) = pair();
        primary.set(reply.clone());
        second.set(reply);
        let builder = Client::builder().fallback(secondary()).fallback(Fallback::canned(BUSY));
        let answer = call(&over(builder, [&primary, &second]), with_body(body)).await.unwrap();
        match outage {
            true => assert_eq!((answer.from(), answer.words()), ("canned", BUSY.into())),
            false => assert_eq!((answer.status.as_u16(), second.count()), (400, 0)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn priority_and_deadline_travel_with_the_call() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    let upstream = service_fn(move |request: Request| {
        let extensions = request.extensions();
        let priority = extensions.get::<Priority>().copied();
        log.lock().unwrap().push((priority, extensions.get::<Deadline>().copied()));
        async { std::future::pending::<Result<Response, Error>>().await }
    });
    let client = Client::builder().build_with(upstream).unwrap();
    let deadline = Deadline::within(secs(2));
    let mut request = chat(false);
    request.extensions_mut().insert(deadline);
    request.extensions_mut().insert(Priority::Batch);
    let start = Instant::now();
    let error = client.send(request).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Deadline });
    assert_eq!(start.elapsed(), secs(2));
    assert_eq!(*seen.lock().unwrap(), [(Some(Priority::Batch), Some(deadline))]);
}

// === time ===

#[tokio::test(start_paused = true)]
async fn attempts_waits_and_fallbacks_share_one_deadline() {
    let (primary, second) = pair();
    let primary = primary.replies([Reply::status(500).head_after(secs(12)), Reply::hang()]);
    second.set(Reply::answer().head_after(secs(6)));
    let log = EventLog::default();
    let builder = log.attach_to(Client::builder().fallback(secondary()));
    let client = over(builder, [&primary, &second]);
    let start = Instant::now();
    let answer = call(&client, chat(false)).await.unwrap();
    answer.is_whole();
    assert_eq!(answer.from(), "secondary");
    // The first target keeps a third of the deadline in reserve, whatever its own attempts would take.
    assert_eq!(start.elapsed(), secs(20) + secs(6));
    let attempts = answer.attempt_log.unwrap().attempts();
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome.name()).collect();
    assert_eq!(outcomes, ["unavailable", "timed_out", "success"]);
    let own = Outcome::TimedOut { phase: Phase::Deadline };
    assert_eq!(attempts[1].outcome, own, "cut off by what was left, and not by its own limit");
    assert_eq!(attempts[0].took, secs(12));
}

#[tokio::test(start_paused = true)]
async fn the_canned_reply_comes_before_the_deadline_whatever_the_targets_do() {
    for stream in [false, true] {
        let (primary, second) = pair();
        let primary =
            primary.replies([Reply::status(500).head_after(secs(9))]).always(Reply::hang());
        second.set(Reply::answer().first_content_after(secs(3600)));
        let builder = Client::builder().fallback(secondary()).fallback(Fallback::canned(BUSY));
        let client = over(builder, [&primary, &second]);
        let start = Instant::now();
        let answer = call(&client, chat(stream)).await.unwrap();
        assert_eq!((answer.from(), answer.words()), ("canned", BUSY.into()));
        assert!(start.elapsed() < secs(30), "{:?}", start.elapsed());
        assert_eq!((primary.in_flight(), second.in_flight()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_fit_is_not_waited_for() {
    let (primary, second) = pair();
    primary.set(Reply::rate_limited(Some(secs(25))));
    let log = EventLog::default();
    let client = over(log.attach_to(Client::builder().fallback(secondary())), [&primary, &second]);
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    answer.is_whole();
    assert_eq!((answer.from(), start.elapsed(), primary.count()), ("secondary", secs(0), 1));
    let stops = log.events().into_iter().filter_map(|event| match event {
        EventKind::RetryStopped { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(stops.collect::<Vec<_>>(), [StopReason::Deadline]);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_time_is_not_sent_and_does_not_count_against_the_provider() {
    let primary = Provider::new("primary");
    let client = over(Client::builder(), [&primary]);
    for _ in 0..20 {
        let mut request = chat(false);
        request.extensions_mut().insert(Deadline::at(Instant::now()));
        let error = client.send(request).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(error.attempt_log().unwrap().sent(), 0);
    }
    assert_eq!(primary.count(), 0);
    call(&client, chat(false)).await.expect("the breaker has heard nothing bad").is_whole();
}

#[tokio::test(start_paused = true)]
async fn a_call_without_time_does_not_use_up_a_probe() {
    let primary = Provider::new("primary").replies([Reply::status(503)]);
    let policy = BreakerPolicy::default().consecutive_failures(1).jitter(0.0);
    let builder = Client::builder().profile(Profile::interactive().breaker(policy));
    let client = over(builder, [&primary]);
    call(&client, chat(false)).await.unwrap();
    assert_eq!(state(&client), CircuitState::Open);
    sleep(secs(6)).await;
    let mut request = chat(false);
    request.extensions_mut().insert(Deadline::at(Instant::now()));
    client.send(request).await.unwrap_err();
    call(&client, chat(false)).await.expect("it is let through as the probe").is_whole();
}

#[tokio::test(start_paused = true)]
async fn calls_with_short_deadlines_do_not_open_the_route_for_others() {
    let primary = Provider::new("primary").always(Reply::answer().head_after(ms(800)));
    let client = over(Client::builder(), [&primary]);
    for _ in 0..20 {
        let request = with_deadline(chat(false), ms(300));
        assert!(client.send(request).await.unwrap_err().is_timeout());
    }
    call(&client, chat(false)).await.expect("whoever has a second is served").is_whole();
    assert_eq!(state(&client), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_short_deadline_leaves_the_first_fallback_some_of_it() {
    // The fallback keeps ten seconds in reserve, and this call has five.
    let (primary, second) = pair();
    let fallbacks = evenkeel::fallback::FallbackPolicy::new()
        .first(Fallback::original_request().reserve(secs(10)))
        .fallback(secondary());
    let client = over(Client::builder().fallback_policy(fallbacks), [&primary, &second]);
    let mut request = chat(false);
    request.extensions_mut().insert(Deadline::within(secs(5)));
    let answer = call(&client, request).await.unwrap();
    assert_eq!(answer.from(), "primary");
    primary.set(Reply::hang());
    let request = with_deadline(chat(false), secs(5));
    assert_eq!(call(&client, request).await.unwrap().from(), "secondary");
}

#[tokio::test(start_paused = true)]
async fn a_silent_provider_is_asked_once_and_then_the_next_fallback() {
    for stream in [true, false] {
        let limit = secs(20);
        let (primary, second) = pair();
        primary.set(Reply::hang());
        let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
        let start = Instant::now();
        let answer = call(&client, chat(stream)).await.unwrap();
        answer.is_whole();
        assert_eq!((primary.count(), second.count()), (1, 1));
        assert_eq!(start.elapsed(), limit);
        assert_eq!(
            primary.attempts()[0].state,
            AttemptState::Cancelled,
            "its connection is given back"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn silence_before_and_after_the_head_is_the_same() {
    for reply in [
        Reply::answer().first_content_after(secs(3600)),
        Reply::answer().with(Fault::stall(0)),
        Reply::answer().with(Fault::Comments { every: secs(1), count: u32::MAX }),
    ] {
        let (primary, second) = pair();
        primary.set(reply.clone());
        let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
        let start = Instant::now();
        call(&client, chat(true)).await.unwrap().is_whole();
        assert_eq!((primary.count(), start.elapsed()), (1, secs(20)), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_ends_in_an_error() {
    let primary = Provider::new("primary").always(Reply::answer().with(Fault::stall(20)));
    let client = over(Client::builder(), [&primary]);
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    let error = answer.error.as_ref().expect("an error, and no end");
    assert_eq!(error.outcome(), Outcome::TimedOut { phase: Phase::Idle });
    assert!(error.is_timeout());
    assert_eq!(start.elapsed(), secs(15));
    assert!(WORDS.starts_with(answer.words().trim_end()));
    assert_eq!(primary.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_body_that_never_ends_holds_no_call() {
    let endless = Reply::raw(500, "application/json", r#"{"error":{"message":"x"}} "#)
        .with(Fault::Comments { every: secs(1), count: u32::MAX });
    let (primary, second) = pair();
    primary.set(endless.clone());
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    answer.is_whole();
    assert_eq!(answer.from(), "secondary");
    assert!(start.elapsed() < secs(10), "{:?}", start.elapsed());
    assert_eq!(primary.in_flight(), 0, "it is let go of");
}

#[tokio::test(start_paused = true)]
async fn a_stream_longer_than_every_limit_goes_on() {
    let primary = Provider::new("primary").always(Reply::answer().between_events(secs(14)));
    let client = over(Client::builder().fallback(Fallback::canned(BUSY)), [&primary]);
    let start = Instant::now();
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(start.elapsed(), 59 * secs(14));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_to_be_complete_has_the_deadline_to_be_so() {
    let (primary, second) = pair();
    primary.set(Reply::answer().between_events(secs(1)));
    let builder =
        Client::builder().profile(committing(CommitPolicy::Complete)).fallback(secondary());
    let client = over(builder, [&primary, &second]);
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    answer.is_whole();
    assert_eq!((answer.from(), start.elapsed()), ("secondary", secs(20)));
}

// === extra attempts ===

#[tokio::test(start_paused = true)]
async fn the_budget_holds_over_all_calls_of_a_route() {
    let primary = Provider::new("primary").always(Reply::status(503));
    let log = EventLog::default();
    let client = over(log.attach_to(Client::builder().profile(plain())), [&primary]);
    for _ in 0..100 {
        call(&client, chat(false)).await.unwrap();
    }
    // A hundred first attempts, the reserve, and a fifth of a hundred (the first earns nothing: the reserve is full).
    assert_eq!(primary.count(), 100 + 10 + 19);
    let stopped = |event: &EventKind| {
        matches!(event, EventKind::RetryStopped { reason: StopReason::Budget, .. })
    };
    assert!(log.events().iter().any(stopped));
}

#[tokio::test(start_paused = true)]
async fn each_fallback_has_a_budget_of_its_own() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let second = second.replies([Reply::status(503)]);
    let builder = Client::builder().profile(plain()).fallback(secondary());
    let client = over(builder, [&primary, &second]);
    for n in 0..30 {
        call(&client, chat(false)).await.unwrap().is_whole();
        if n == 20 {
            // The primary's reserve was spent long ago.
            second.forget();
            let again = second.clone().replies([Reply::status(503)]);
            call(&client, chat(false)).await.unwrap().is_whole();
            assert_eq!(again.count(), 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_costs_no_time_and_is_not_retried() {
    let primary = Provider::new("primary").always(Reply::status(503));
    let profile = Profile::interactive().breaker(BreakerPolicy::default().consecutive_failures(2));
    let client = over(Client::builder().profile(profile), [&primary]);
    for _ in 0..2 {
        call(&client, chat(false)).await.unwrap();
    }
    assert_eq!((state(&client), primary.count()), (CircuitState::Open, 4));
    let start = Instant::now();
    let error = client.send(chat(false)).await.unwrap_err();
    assert!(error.is_refused());
    assert!(error.retry_in().is_some_and(|wait| wait > secs(3) && wait <= secs(6)));
    assert_eq!((start.elapsed(), primary.count()), (secs(0), 4));
    let attempt_log = error.attempt_log().unwrap();
    assert_eq!((attempt_log.attempts().len(), attempt_log.sent()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn no_retry_is_waited_for_that_the_breaker_would_refuse() {
    // A hint of ten seconds fits into the deadline; the breaker, which has opened in the meantime, is open for longer.
    let (primary, second) = pair();
    primary.set(Reply::status(503).retry_after(secs(10)));
    let policy = BreakerPolicy::default().consecutive_failures(1).open_backoff(secs(15)..=secs(30));
    let log = EventLog::default();
    let builder = Client::builder().profile(Profile::interactive().breaker(policy));
    let client = over(log.attach_to(builder.fallback(secondary())), [&primary, &second]);
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!((answer.from(), start.elapsed()), ("secondary", secs(0)));
    assert_eq!((primary.count(), state_of(&client, "primary")), (1, CircuitState::Open));
    assert_eq!((log.count("retry_waiting"), log.count("retry_stopped")), (0, 1));
    assert_eq!(log.count("breaker_refused"), 0, "it need not be asked to be known");
}

#[tokio::test(start_paused = true)]
async fn a_caller_does_not_pay_for_a_failed_probe_but_its_own_time() {
    let (primary, second) = pair();
    primary.set(Reply::status(503));
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    for _ in 0..2 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    for _ in 0..5 {
        sleep(secs(40)).await;
        primary.forget();
        let start = Instant::now();
        call(&client, chat(true)).await.unwrap().is_whole();
        assert_eq!((primary.count(), start.elapsed()), (1, secs(0)), "one probe, and no wait");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_comes_after_the_breaker_has_waited_is_made() {
    // A pipeline is not interactive: its retries come later than the breaker's first probe.
    let primary = Provider::new("primary").replies([Reply::status(503)]);
    let profile = Profile::interactive()
        .retry(RetryPolicy::default().schedule(|| std::iter::once(secs(8))))
        .breaker(BreakerPolicy::default().consecutive_failures(1));
    let client = over(Client::builder().profile(profile), [&primary]);
    let start = Instant::now();
    call(&client, chat(false)).await.unwrap().is_whole();
    assert_eq!((primary.count(), start.elapsed()), (2, secs(8)));
}

// === the breaker and the outcomes it records ===

#[tokio::test(start_paused = true)]
async fn a_final_503_and_a_body_that_dies_half_way_are_failures() {
    let replies = [
        Reply::status(503),
        Reply::answer().with(Fault::Cut { words: 40 }),
        Reply::answer().with(Fault::stall(40)),
        Reply::answer().with(Fault::server_error(40)),
        Reply::answer().with(Fault::InvalidEvent { event: 10 }),
        Reply::html(),
        Reply::empty(),
    ];
    for reply in replies {
        let primary = Provider::new("primary").always(reply.clone());
        let retry = RetryPolicy::default().retries(0);
        let client =
            over(Client::builder().profile(Profile::interactive().retry(retry)), [&primary]);
        for _ in 0..5 {
            let _ = call(&client, chat(true)).await;
            sleep(ms(300)).await;
        }
        assert_eq!((state(&client), primary.count()), (CircuitState::Open, 5), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_request_does_not_count_against_the_provider() {
    for reply in [
        Reply::status(400),
        Reply::raw(403, "text/html", "<html>blocked</html>"),
        Reply::status(404),
        Reply::content_policy_violation(),
        Reply::context_length_exceeded(),
    ] {
        let primary = Provider::new("primary").always(reply.clone());
        let client = over(Client::builder(), [&primary]);
        for _ in 0..20 {
            call(&client, chat(false)).await.unwrap();
        }
        assert_eq!((state(&client), primary.count()), (CircuitState::Closed, 20), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_permit_of_the_breaker_and_the_attempt_last_until_the_body_ends() {
    let primary = Provider::new("primary").always(Reply::answer().between_events(secs(1)));
    let client = over(Client::builder(), [&primary]);
    let counted = || client.breakers().list()[0].1.calls;
    let response = client.send(chat(true)).await.unwrap();
    sleep(secs(5)).await;
    assert_eq!((counted(), primary.in_flight()), (0, 1), "the head is not the end");
    let usage = response.extensions().get::<UsageHandle>().unwrap().clone();
    assert!(usage.get().is_none());
    read(response).await.is_whole();
    assert_eq!((counted(), primary.in_flight()), (1, 0));
    assert_eq!(usage.get().map(|tokens| tokens.output), Some(60));
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_decided_at_its_first_content_and_observed_until_its_body_ends() {
    let primary = Provider::new("primary")
        .replies((0..5).map(|_| Reply::status(503)))
        .always(Reply::answer().with(Fault::Silence { words: 20, lasts: secs(2) }));
    let client = over(Client::builder(), [&primary]);
    for _ in 0..2 {
        call(&client, chat(true)).await.unwrap();
    }
    sleep(secs(7)).await;
    let response = client.send(chat(true)).await.unwrap();
    assert_eq!(state(&client), CircuitState::HalfOpen);
    let answer = read(response).await;
    assert!(answer.error.is_some());
    assert_eq!(state(&client), CircuitState::Open, "a probe whose body died is no success");
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_dropped_do_not_open_the_breaker() {
    let primary = Provider::new("primary").always(Reply::hang());
    let log = EventLog::default();
    let client = over(log.attach_to(Client::builder().fallback(secondary())), [&primary]);
    for _ in 0..20 {
        assert!(timeout(ms(500), client.send(chat(true))).await.is_err());
    }
    assert_eq!((state(&client), primary.in_flight()), (CircuitState::Closed, 0));
    assert_eq!((primary.cancelled(), log.count("call_ended")), (20, 20));
    let ended = |event: &EventKind| {
        matches!(event, EventKind::CallEnded { outcome: Outcome::Cancelled, .. })
    };
    assert_eq!(log.events().iter().filter(|event| ended(event)).count(), 20);
    assert_eq!((log.count("attempt_started"), log.count("attempt_ended")), (20, 20));
    assert_eq!(log.count("body_ended"), 0);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_dropped_after_a_long_wait_open_the_breaker() {
    let primary = Provider::new("primary").always(Reply::hang());
    let client = over(Client::builder(), [&primary]);
    let mut calls = JoinSet::new();
    for n in 0..10 {
        let client = client.clone();
        calls.spawn(async move {
            sleep(ms(n * 200)).await;
            timeout(secs(17), client.send(chat(true))).await
        });
    }
    while let Some(call) = calls.join_next().await {
        assert!(call.unwrap().is_err());
    }
    assert_eq!(state(&client), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_fallback_counts_as_a_failure() {
    // Three targets: all those below the first share a third of the thirty seconds.
    let (primary, second) = pair();
    primary.set(Reply::hang());
    let third = Fallback::target(Target::new("http://third/v1"));
    let builder = Client::builder().fallback(secondary()).fallback(third);
    let client = over(builder, [&primary, &second]);
    for _ in 0..5 {
        let start = Instant::now();
        let answer = call(&client, chat(false)).await.unwrap();
        let first = &answer.attempt_log.unwrap().attempts()[0];
        assert_eq!(first.outcome, Outcome::TimedOut { phase: Phase::Attempt });
        assert_eq!(start.elapsed(), secs(20));
        // After failures of the route, it gets one call in two seconds.
        tokio::time::sleep(secs(2)).await;
    }
    assert_eq!(state_of(&client, "primary"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_never_ready_is_left_in_time() {
    let client = Client::builder().fallback(Fallback::canned(BUSY)).build_with(NeverReady).unwrap();
    let start = Instant::now();
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!(answer.from(), "canned");
    assert!(start.elapsed() < secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_at_once_while_the_breaker_opens_are_all_answered() {
    let (primary, second) = pair();
    primary.set(Reply::status(503).head_after(ms(200)));
    let log = EventLog::default();
    let client = over(log.attach_to(Client::builder().fallback(secondary())), [&primary, &second]);
    let start = Instant::now();
    let mut calls = JoinSet::new();
    for n in 0..100 {
        let client = client.clone();
        calls.spawn(async move {
            sleep(ms(n * 5)).await;
            call(&client, chat(n % 2 == 0)).await.unwrap()
        });
    }
    while let Some(answer) = calls.join_next().await {
        let answer = answer.unwrap();
        answer.is_whole();
        assert_eq!(answer.from(), "secondary");
    }
    // The attempts in progress before the first failures were recorded, and hardly any after them.
    assert!(primary.count() <= 50, "{}", primary.count());
    assert!(start.elapsed() < secs(1), "{:?}", start.elapsed());
    assert_eq!(second.count(), 100);
    assert_eq!((primary.in_flight(), second.in_flight()), (0, 0));
    for name in ["call_started", "call_ended", "body_ended"] {
        assert_eq!(log.count(name), 100, "{name}");
    }
    assert_eq!(log.count("attempt_started"), log.count("attempt_ended"));
    assert!(log.count("breaker_changed") <= 1);
}

// === the fallbacks ===

#[tokio::test(start_paused = true)]
async fn when_all_fallbacks_fail_the_caller_sees_the_first_and_the_attempt_log_has_the_rest() {
    let (primary, second) = pair();
    primary.set(Reply::raw(502, "text/html", "<html>the first</html>").header("x-mark", "1"));
    second.set(Reply::reset());
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    let answer = call(&client, chat(true)).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.bytes()[..]),
        (502, &b"<html>the first</html>"[..])
    );
    assert_eq!(answer.headers["x-mark"], "1");
    let attempt_log = answer.attempt_log.unwrap();
    let log: Vec<_> =
        attempt_log.attempts().iter().map(|a| (a.fallback, a.outcome.name())).collect();
    let down = (0, "unavailable");
    assert_eq!(log, [down, down, down, (1, "broken"), (1, "broken")]);
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_moves_down_at_once_and_is_probed_within_about_a_minute() {
    let (primary, second) = pair();
    primary.set(Reply::quota_exhausted());
    let client = over(Client::builder().fallback(secondary()), [&primary, &second]);
    let start = Instant::now();
    for _ in 0..3 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    assert_eq!((primary.count(), start.elapsed()), (1, secs(0)), "it is no rate limit");
    sleep(secs(45)).await;
    call(&client, chat(true)).await.unwrap().is_whole();
    assert_eq!(primary.count(), 1);
    sleep(secs(30)).await;
    for _ in 0..3 {
        call(&client, chat(true)).await.unwrap().is_whole();
    }
    assert_eq!(primary.count(), 2, "one call finds out that it is still gone");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_can_be_cut_is_handed_on_whole_where_it_has_to_be_complete() {
    let (primary, second) = pair();
    let primary = primary.replies([Reply::answer().with(Fault::Cut { words: 40 })]);
    let builder =
        Client::builder().profile(committing(CommitPolicy::Complete)).fallback(secondary());
    let answer = call(&over(builder, [&primary, &second]), chat(true)).await.unwrap();
    answer.is_whole();
    assert_eq!((answer.from(), primary.count()), ("primary", 2), "the same target, once more");
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_an_attempt_hold_for_each_fallback() {
    let (primary, second) = pair();
    primary.set(Reply::hang());
    second.set(Reply::hang());
    let third = Provider::new("third");
    let limits = TimeoutPolicy::default().first_event(secs(3));
    let builder = Client::builder()
        .profile(Profile::interactive().timeout(limits))
        .fallback(secondary())
        .fallback(Fallback::target(Target::new("http://third/v1")));
    let start = Instant::now();
    let answer = call(&over(builder, [&primary, &second, &third]), chat(true)).await.unwrap();
    assert_eq!((answer.from(), start.elapsed()), ("third", secs(6)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_unread_ends_the_call_and_the_attempt() {
    let log = EventLog::default();
    let primary = Provider::new("primary").always(Reply::answer().between_events(secs(1)));
    let client = over(log.attach_to(Client::builder()), [&primary]);
    let mut response = client.send(chat(true)).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    assert_eq!((primary.in_flight(), log.count("body_ended")), (0, 1));
    assert_eq!(state(&client), CircuitState::Closed);
}
