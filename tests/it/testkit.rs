//! The provider, the scenario and the probe, in virtual time.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Error, Request, Response, adapter::Reconnect, outcome::Outcome, upstream::ConnectionError,
};
use evenkeel_testkit::{
    Capacity, Fault, Hosts, Incident, Provider, Reply, Scenario, WORDS,
    probe::{self, Probe, Rule},
    provider::AttemptState,
    scenario::{Arrivals, CallResult, Harness, Metrics},
};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tower::{Layer, Service, ServiceExt, layer::layer_fn, layer::util::Identity, service_fn};

const SECOND: Duration = Duration::from_secs(1);

fn ask(body: &'static str) -> Request {
    http::Request::post("http://primary/v1/chat/completions").body(Bytes::from(body)).unwrap()
}

fn streamed() -> Request {
    ask(r#"{"model":"m","stream":true}"#)
}

async fn status(provider: &Provider) -> u16 {
    provider.clone().oneshot(streamed()).await.unwrap().status().as_u16()
}

/// The bytes of a body up to its end or its error.
async fn read(response: Response) -> (Vec<u8>, Option<Error>) {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().unwrap()),
            Err(error) => return (bytes, Some(error)),
        }
    }
    (bytes, None)
}

/// The kind of I/O error in an error of the transport.
fn io(error: &Error) -> std::io::ErrorKind {
    let source = std::error::Error::source(error).unwrap();
    source.downcast_ref::<std::io::Error>().unwrap().kind()
}

// === the provider ===

#[tokio::test(start_paused = true)]
async fn a_provider_answers_by_its_script_and_then_as_always() {
    let provider = Provider::new("p")
        .replies([Reply::status(503), Reply::rate_limited(None)])
        .always(Reply::status(500));
    let met = [status(&provider).await, status(&provider).await, status(&provider).await];
    assert_eq!(met, [503, 429, 500]);
    provider.set(Reply::answer());
    assert_eq!(status(&provider).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_provider_answers_by_the_time_of_its_clock() {
    let provider = Provider::new("p").during(SECOND..3 * SECOND, Reply::status(503));
    let mut met = vec![status(&provider).await];
    for _ in 0..3 {
        sleep(SECOND).await;
        met.push(status(&provider).await);
    }
    assert_eq!(met, [200, 503, 503, 200]);
    provider.start_clock();
    sleep(SECOND).await;
    assert_eq!(status(&provider).await, 503);
}

#[tokio::test(start_paused = true)]
async fn a_stream_takes_the_time_it_was_given() {
    let reply = Reply::answer()
        .words_per_event(20)
        .head_after(SECOND)
        .first_content_after(2 * SECOND)
        .between_events(3 * SECOND);
    let provider = Provider::new("p").always(reply);
    let start = Instant::now();
    let response = provider.clone().oneshot(streamed()).await.unwrap();
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(response.headers()["x-served-by"], "p");
    let (bytes, error) = read(response).await;
    assert_eq!((start.elapsed(), error.is_none()), (9 * SECOND, true));
    assert!(String::from_utf8(bytes).unwrap().ends_with("data: [DONE]\n\n"));
}

#[tokio::test(start_paused = true)]
async fn an_unstreamed_answer_has_a_length_and_ends_with_its_last_byte() {
    use http_body::Body as _;
    let provider = Provider::new("p");
    let response = provider.clone().oneshot(ask(r#"{"model":"m"}"#)).await.unwrap();
    let length: u64 = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(length));
    let mut body = response.into_body();
    let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data.len() as u64, length);
    assert!(body.is_end_stream());
    assert_eq!(
        provider.attempts()[0].state,
        AttemptState::Completed,
        "though nobody asked for the end"
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_no_head_is_an_error_of_the_transport() {
    let provider = Provider::new("p").replies([Reply::refused(), Reply::reset()]);
    let error = provider.clone().oneshot(streamed()).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(io(&error), std::io::ErrorKind::ConnectionRefused);
    let error = provider.clone().oneshot(streamed()).await.unwrap_err();
    assert_eq!(error.outcome().name(), "broken");
    assert_eq!(io(&error), std::io::ErrorKind::ConnectionReset);
    assert_eq!((provider.count(), provider.cancelled()), (2, 0));
    provider.set(Reply::answer().with(Fault::Closed));
    let error = provider.clone().oneshot(streamed()).await.unwrap_err();
    assert_eq!(error.outcome().name(), "broken");
    assert_eq!(io(&error), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_an_error_of_the_body() {
    let faults = [
        (Fault::Cut { words: 40 }, std::io::ErrorKind::UnexpectedEof, Duration::ZERO),
        (Fault::ResetAfter { bytes: 300 }, std::io::ErrorKind::ConnectionReset, Duration::ZERO),
        (
            Fault::Silence { words: 20, lasts: 30 * SECOND },
            std::io::ErrorKind::UnexpectedEof,
            30 * SECOND,
        ),
    ];
    for (fault, kind, lasts) in faults {
        for request in [streamed(), ask("{}")] {
            let provider = Provider::new("p").always(Reply::answer().with(fault.clone()));
            let start = Instant::now();
            let (bytes, error) = read(provider.clone().oneshot(request).await.unwrap()).await;
            let error = error.unwrap();
            assert!(error.is_truncated() && io(&error) == kind, "{fault:?}: {error:?}");
            assert!(!bytes.is_empty());
            assert_eq!(start.elapsed(), lasts, "{fault:?}");
            assert_eq!((provider.in_flight(), provider.cancelled()), (0, 0), "it meant to");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_says_nothing_for_a_year() {
    let year = 365 * 24 * 3600 * SECOND;
    let provider =
        Provider::new("p").replies([Reply::hang(), Reply::answer().with(Fault::stall(3))]);
    assert!(timeout(year, provider.clone().oneshot(streamed())).await.is_err());
    let response = provider.clone().oneshot(streamed()).await.unwrap();
    assert!(timeout(year, read(response)).await.is_err());
    assert_eq!((provider.count(), provider.cancelled(), provider.in_flight()), (2, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn attempts_are_counted_with_what_they_asked_for() {
    let provider = Provider::new("p");
    let body = r#"{"model":"m-1","stream":true,"tools":[{}],"messages":[{},{}],"max_tokens":5}"#;
    let mut request = ask(body);
    request.headers_mut().insert("authorization", "Bearer sk-secret".parse().unwrap());
    let start = Instant::now();
    sleep(SECOND).await;
    provider.clone().oneshot(request).await.unwrap();
    provider.clone().oneshot(ask("{}")).await.unwrap();
    let attempts = provider.attempts();
    let [first, second] = &attempts[..] else { panic!("{attempts:?}") };
    assert_eq!(first.at, start + SECOND);
    assert_eq!(first.model.as_deref(), Some("m-1"));
    assert_eq!((first.stream, first.tools, first.credential), (true, true, true));
    assert_eq!((first.messages, first.max_tokens), (2, Some(5)));
    assert_eq!((second.stream, second.tools, second.credential), (false, false, false));
    assert!(!format!("{provider:?}{attempts:?}").contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_counted_when_it_is_sent_and_not_before() {
    let provider = Provider::new("p");
    let call = provider.clone().oneshot(streamed());
    assert_eq!(provider.count(), 0);
    drop(call);
    assert_eq!((provider.count(), provider.cancelled()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_is_noticed() {
    let provider = Provider::new("p").always(Reply::answer().between_events(SECOND));
    let mut body = provider.clone().oneshot(streamed()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!((provider.in_flight(), provider.attempts()[0].state), (1, AttemptState::InProgress));
    drop(body);
    assert_eq!((provider.in_flight(), provider.attempts()[0].state), (0, AttemptState::Cancelled));
    assert_eq!(provider.cancelled(), 1);
}

#[tokio::test(start_paused = true)]
async fn forgotten_attempts_do_not_come_back() {
    let provider = Provider::new("p").always(Reply::hang());
    let mut old = Box::pin(provider.clone().oneshot(streamed()));
    assert!(timeout(SECOND, &mut old).await.is_err());
    provider.forget();
    assert_eq!((provider.count(), provider.in_flight()), (0, 1));
    let mut new = Box::pin(provider.clone().oneshot(streamed()));
    assert!(timeout(SECOND, &mut new).await.is_err());
    drop(old);
    assert_eq!((provider.cancelled(), provider.in_flight()), (0, 1));
    assert_eq!(provider.attempts()[0].state, AttemptState::InProgress);
}

#[tokio::test(start_paused = true)]
async fn more_at_a_time_than_the_capacity_is_turned_away() {
    let provider = Provider::new("p")
        .always(Reply::answer().between_events(SECOND))
        .capacity(Capacity::Concurrent(2), Reply::error(529, "overloaded_error", ""));
    let first = provider.clone().oneshot(streamed()).await.unwrap();
    let second = provider.clone().oneshot(streamed()).await.unwrap();
    assert_eq!(status(&provider).await, 529);
    drop(first);
    assert_eq!(status(&provider).await, 200, "the place of a call that is over is free");
    assert!(read(second).await.1.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_provider_with_limits_by_the_minute_tells_what_is_left_of_them() {
    let capacity = Capacity::PerMinute { requests: 2, tokens: 600 };
    let provider = Provider::new("p").capacity(capacity, Reply::rate_limited(None));
    let headers = async |body: &'static str| {
        let response = provider.clone().oneshot(ask(body)).await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let of = |what: &str| {
            ["limit", "remaining", "reset"].map(|it| header(&format!("x-ratelimit-{it}-{what}")))
        };
        (response.status().as_u16(), of("requests").join(" "), of("tokens").join(" "))
    };
    let small = r#"{"model":"m","max_tokens":94}"#;
    let large = r#"{"model":"m","max_tokens":592}"#;
    let told = |status, requests: &str, tokens: &str| (status, requests.into(), tokens.into());
    assert_eq!(headers(small).await, told(200, "2 1 30000ms", "600 498 10200ms"));
    assert_eq!(headers(large).await, told(429, "2 1 30000ms", "600 498 10200ms"));
    assert_eq!(headers(small).await, told(200, "2 0 60000ms", "600 396 20400ms"));
    assert_eq!(headers(small).await, told(429, "2 0 60000ms", "600 396 20400ms"));
    sleep(30 * SECOND).await;
    assert_eq!(headers(large).await, told(200, "2 0 60000ms", "600 0 60000ms"));
    let request = http::Request::post("http://p/v1/messages").body(Bytes::from(small)).unwrap();
    let response = provider.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["anthropic-ratelimit-requests-remaining"], "0");
    let reset = response.headers()["anthropic-ratelimit-tokens-reset"].to_str().unwrap();
    assert!(reset.ends_with('Z') && reset.contains('T'), "{reset}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_can_be_given_another_capacity_at_any_time() {
    let provider = Provider::new("p").capacity(Capacity::Concurrent(0), Reply::status(529));
    assert_eq!(status(&provider).await, 529);
    provider.limit_to(Capacity::Concurrent(1));
    assert_eq!(status(&provider).await, 200);
    provider.limit_to(Capacity::Concurrent(0));
    assert_eq!(status(&provider).await, 529);
}

#[tokio::test(start_paused = true)]
async fn more_a_second_than_the_capacity_is_turned_away() {
    let provider = Provider::new("p").capacity(Capacity::PerSecond(2.0), Reply::rate_limited(None));
    let mut met = Vec::new();
    for _ in 0..4 {
        met.push(status(&provider).await);
    }
    sleep(SECOND / 2).await;
    met.push(status(&provider).await);
    assert_eq!(met, [200, 200, 429, 429, 200]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_required_is_asked_for() {
    let provider = Provider::new("p").requires("sk-1");
    let with = async |name: &'static str, value: &str| {
        let mut request = streamed();
        request.headers_mut().insert(name, value.parse().unwrap());
        provider.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(with("authorization", "Bearer sk-1").await, 200);
    assert_eq!(with("x-api-key", "sk-1").await, 200);
    assert_eq!(with("authorization", "Bearer sk-2").await, 401);
    assert_eq!(status(&provider).await, 401);
    assert!(!format!("{provider:?}").contains("sk-1"));
}

#[tokio::test(start_paused = true)]
async fn providers_are_at_the_hosts_of_their_names() {
    let hosts = Hosts::new([Provider::new("a"), Provider::new("b")]);
    let served = async |host: &str| {
        let request = http::Request::post(format!("http://{host}/v1")).body(Bytes::new()).unwrap();
        let response = hosts.clone().oneshot(request).await?;
        Ok::<_, Error>(response.headers()["x-served-by"].to_str().unwrap().to_owned())
    };
    assert_eq!(served("b").await.unwrap(), "b");
    assert!(served("c").await.unwrap_err().is_connect());
}

/// A provider whose node is replaced at minutes 1 and 2; an answer takes 1.3 to 3.9 s.
fn replaced() -> (Provider, Hosts) {
    let day = Incident::parse(
        r#"{"name": "x", "states": {"new": {"kept": "reset"}}, "phases_min": [
            {"from": 0, "to": 1, "provider": "healthy"},
            {"from": 1, "to": 2, "provider": "new"},
            {"from": 2, "to": 3, "provider": "new"}]}"#,
    );
    let provider = Provider::new("primary").following(day.unwrap().primary_schedule());
    let hosts = Hosts::new([provider.clone()]).reusing_connections();
    (provider, hosts)
}

/// Whether a call has a whole answer; a failure has to be a reset of its connection.
async fn whole(hosts: &Hosts) -> bool {
    match hosts.clone().oneshot(streamed()).await {
        Ok(response) => read(response).await.1.is_none(),
        Err(error) => {
            let source = std::error::Error::source(&error).unwrap();
            assert!(source.is::<ConnectionError>(), "{error:?}");
            assert_eq!(error.outcome(), Outcome::ConnectionLost);
            false
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_when_a_node_was_replaced_is_reset_once_each_and_new_connections_are_well() {
    let (provider, hosts) = replaced();
    let start = Instant::now();
    for minute in [1, 2] {
        sleep_until(start + minute * 60 * SECOND - 10 * SECOND).await;
        let calls = [(); 3].map(|()| whole(&hosts));
        assert_eq!(join_all(calls).await, [true; 3], "three connections are kept");
        sleep_until(start + minute * 60 * SECOND).await;
        provider.forget();
        for n in 0..3 {
            assert!(!whole(&hosts).await, "connection {n} is dead");
        }
        assert_eq!(provider.count(), 0, "what is reset reaches nobody");
        assert!(whole(&hosts).await && whole(&hosts).await, "a new one, and it is kept");
    }
}

#[tokio::test(start_paused = true)]
async fn connections_are_kept_only_after_whole_answers_and_for_a_while() {
    let (provider, hosts) = replaced();
    let start = Instant::now();
    // Not read to its end, so it was closed.
    sleep_until(start + 50 * SECOND).await;
    drop(hosts.clone().oneshot(streamed()).await.unwrap());
    sleep_until(start + 60 * SECOND).await;
    assert!(whole(&hosts).await, "nothing was kept");
    // The old node completes the answer that it has started, and closes the connection.
    sleep_until(start + 120 * SECOND - SECOND / 2).await;
    let begun = hosts.clone().oneshot(streamed()).await.unwrap();
    assert!(read(begun).await.1.is_none() && start.elapsed() > 120 * SECOND);
    assert!(whole(&hosts).await, "the connection to the old node is not kept");
    // Idle for too long: closed by the client.
    let (_, hosts) = replaced();
    assert!(whole(&hosts).await);
    sleep(60 * SECOND).await;
    assert!(whole(&hosts).await);
    assert_eq!(provider.cancelled(), 1);
}

#[tokio::test(start_paused = true)]
async fn reconnect_sends_a_request_again_whose_connection_in_process_was_dead() {
    let (provider, hosts) = replaced();
    let around = Reconnect::new(hosts);
    let whole = async || {
        let response = around.clone().oneshot(streamed()).await;
        read(response.unwrap()).await.1.is_none()
    };
    sleep(50 * SECOND).await;
    assert_eq!(join_all([(); 3].map(|()| whole())).await, [true; 3]);
    sleep(10 * SECOND).await;
    assert!(whole().await && whole().await);
    assert_eq!(provider.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_found_no_listener_can_be_noted() {
    let provider = Provider::new("p").replies([Reply::refused(), Reply::status(503)]);
    let mut headers = http::HeaderMap::new();
    headers.insert("x-scenario-call", 7.into());
    provider.note_refused(&headers);
    assert_eq!((provider.count(), provider.attempts()[0].call), (1, Some(7)));
    assert_eq!(status(&provider).await, 503, "the refusal that was planned has been");
}

// === the scenario ===

/// Twelve minutes: healthy, partial failures, down, ramping, healthy.
fn quarter() -> Incident {
    Incident::parse(
        r#"{"name": "a quarter of an hour",
        "phases_min": [
            {"from": 0, "to": 2, "provider": "healthy"},
            {"from": 2, "to": 4, "provider": "brownout"},
            {"from": 4, "to": 8, "provider": "down"},
            {"from": 8, "to": 10, "provider": "ramping"},
            {"from": 10, "to": 12, "provider": "healthy"}],
        "secondary_phases_min": [
            {"from": 0, "to": 5, "provider": "healthy"},
            {"from": 5, "to": 6, "provider": "overloaded"},
            {"from": 6, "to": 12, "provider": "healthy"}]}"#,
    )
    .unwrap()
}

async fn plain(scenario: &Scenario) -> (Metrics, Harness) {
    let harness = scenario.harness();
    let metrics = scenario.play("plain", &harness, harness.primary().clone()).await;
    (metrics, harness)
}

fn kinds(metrics: &Metrics) -> u64 {
    CallResult::ALL.map(|kind| metrics.of(kind)).iter().sum()
}

#[tokio::test(start_paused = true)]
async fn every_call_of_a_scenario_is_of_one_kind() {
    let (metrics, harness) = plain(&Scenario::new(quarter()).seed(1)).await;
    assert!((600..850).contains(&metrics.calls), "{}", metrics.calls);
    assert_eq!(kinds(&metrics), metrics.calls);
    assert_eq!((metrics.attempts_primary, harness.secondary().count()), (metrics.calls, 0));
    assert_eq!(metrics.attempts_primary_down, metrics.calls_down);
    assert!((180..300).contains(&metrics.calls_down));
    let down = metrics.calls_down as f64;
    assert!((0.2 * down..0.5 * down).contains(&(metrics.hung as f64)), "a third is silence");
    assert!(metrics.error > metrics.calls_down / 2 && metrics.late > 0);
    assert_eq!((metrics.secondary, metrics.stored, metrics.canned), (0, 0, 0));
    assert_eq!(metrics.detect_s, [None], "every call goes to the primary");
    assert_eq!(metrics.recover_s, [Some(0.0)], "at once");
    let (p50, p99) = (metrics.first_event_p50_s.unwrap(), metrics.first_event_p99_s.unwrap());
    assert!((0.3..0.9).contains(&p50) && (10.0..40.0).contains(&p99), "{p50} {p99}");
}

#[tokio::test(start_paused = true)]
async fn the_reasons_of_errors_are_told() {
    let (metrics, _) = plain(&Scenario::new(quarter()).seed(1)).await;
    for reason in ["status 500", "status 502", "status 503", "the answer was cut short"] {
        assert!(
            metrics.reasons.get(reason).is_some_and(|count| *count > 3),
            "{reason}: {metrics:?}"
        );
    }
    assert_eq!(metrics.reasons.values().sum::<u64>(), metrics.error);
}

#[tokio::test(start_paused = true)]
async fn the_series_adds_up_to_the_figures() {
    let (metrics, harness) = plain(&Scenario::new(quarter()).seed(2).bucket(60 * SECOND)).await;
    let points = &metrics.series.points;
    assert_eq!(points.len(), 12);
    for kind in CallResult::ALL {
        assert_eq!(points.iter().map(|point| point.of(kind)).sum::<u64>(), metrics.of(kind));
    }
    assert_eq!(
        points.iter().map(|point| point.attempts_primary).sum::<u64>(),
        harness.primary().count()
    );
    assert_eq!(points.iter().map(|point| point.late).sum::<u64>(), metrics.late);
    assert_eq!((points[0].of(CallResult::Error), points[0].of(CallResult::Hung)), (0, 0));
    assert_eq!(points[5].of(CallResult::Primary), 0);
    assert_eq!((points[1].from, points[11].from), (60 * SECOND, 660 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_scenario_counts_in_the_time_of_the_incident_at_any_scale() {
    let full = plain(&Scenario::new(quarter()).seed(3).arrivals(Arrivals::Even)).await.0;
    let start = Instant::now();
    let tenth =
        plain(&Scenario::new(quarter()).seed(3).arrivals(Arrivals::Even).scale(0.1)).await.0;
    let took = start.elapsed();
    assert!((72 * SECOND..84 * SECOND).contains(&took), "{took:?}");
    assert_eq!((full.calls, tenth.calls), (720, 720));
    assert_eq!(full.calls_down, tenth.calls_down);
    // Draws depend on the millisecond of the incident, so the results are only nearly equal.
    let near = |a: u64, b: u64| a.abs_diff(b) <= 25;
    assert!(near(full.primary, tenth.primary) && near(full.hung, tenth.hung), "{full:?} {tenth:?}");
    let gap = full.first_event_p50_s.unwrap() - tenth.first_event_p50_s.unwrap();
    assert!(gap.abs() < 0.05, "{gap}");
}

/// The metrics of one scenario in its own runtime.
fn alone(seed: u64, stream: bool) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let scenario = Scenario::new(quarter()).seed(seed).stream(stream);
    let metrics = runtime.block_on(plain(&scenario)).0;
    serde_json::to_string(&scenario.report(vec![metrics])).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_report() {
    for stream in [false, true] {
        assert_eq!(alone(5, stream), alone(5, stream));
    }
    assert_ne!(alone(5, true), alone(6, true));
}

#[test]
fn a_report_is_the_object_it_is_said_to_be() {
    let report: serde_json::Value = serde_json::from_str(&alone(5, true)).unwrap();
    assert_eq!(report["incident"], "a quarter of an hour");
    assert_eq!((report["seed"].as_u64(), report["rate"].as_f64()), (Some(5), Some(60.0)));
    let client = report["clients"][0].as_object().unwrap();
    let names: Vec<_> = client.keys().map(String::as_str).collect();
    let mut expected = [
        "name",
        "calls",
        "primary",
        "secondary",
        "stored",
        "canned",
        "error",
        "late",
        "hung",
        "attempts_primary",
        "calls_down",
        "attempts_primary_down",
        "detect_s",
        "recover_s",
        "first_event_p50_s",
        "first_event_p99_s",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected, "and no more");
}

/// Plays against a client with this answer, in place of any provider.
async fn answered_by(
    answer: impl Fn() -> http::Response<String> + Clone + Send + 'static,
) -> Metrics {
    let scenario = Scenario::new(quarter()).rate(5.0);
    let client = service_fn(move |_: Request| {
        let answer = answer();
        async { Ok::<_, Error>(answer) }
    });
    scenario.play("x", &scenario.harness(), client).await
}

fn json(text: &str) -> String {
    serde_json::json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})
        .to_string()
}

#[tokio::test(start_paused = true)]
async fn who_answered_is_told_by_the_head() {
    let with = async |name: &'static str, value: &'static str, body: String| {
        let answer =
            move || http::Response::builder().header(name, value).body(body.clone()).unwrap();
        let metrics = answered_by(answer).await;
        let all: Vec<_> =
            CallResult::ALL.into_iter().filter(|kind| metrics.of(*kind) > 0).collect();
        assert_eq!(all.len(), 1, "{metrics:?}");
        all[0]
    };
    assert_eq!(with("x-served-by", "primary", json(WORDS)).await, CallResult::Primary);
    assert_eq!(with("x-served-by", "secondary", json(WORDS)).await, CallResult::Secondary);
    assert_eq!(with("x-served-by", "stranger", json(WORDS)).await, CallResult::Error);
    assert_eq!(with("evenkeel-served-by", "stored", json("Yes.")).await, CallResult::Stored);
    assert_eq!(with("evenkeel-served-by", "canned", json("Later.")).await, CallResult::Canned);
    assert_eq!(with("x", "nothing says who", json("Later.")).await, CallResult::Canned);
    assert_eq!(with("evenkeel-served-by", "canned", json("")).await, CallResult::Error);
    assert_eq!(with("evenkeel-served-by", "canned", "Later.".into()).await, CallResult::Error);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_whole_is_an_error() {
    let cut = &WORDS[..100];
    let stream = |text: &str, end: &str| {
        let delta = serde_json::json!({"choices": [{"delta": {"content": text}}]});
        format!(": comment\n\ndata: {delta}\r\n\r\n{end}")
    };
    let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let done = "data: [DONE]\n\n";
    let cases = [
        (stream(WORDS, done), CallResult::Primary),
        (stream(WORDS, finish), CallResult::Primary),
        (stream(WORDS, ""), CallResult::Error),
        (stream(cut, done), CallResult::Error),
        (stream("", done), CallResult::Error),
        (stream(WORDS, "data: {\"error\":{}}\n\ndata: [DONE]\n\n"), CallResult::Error),
        (stream(WORDS, "data: {oh\n\ndata: [DONE]\n\n"), CallResult::Error),
        (String::new(), CallResult::Error),
    ];
    for (body, kind) in cases {
        let made = body.clone();
        let metrics = answered_by(move || {
            let head = http::Response::builder().header("x-served-by", "primary");
            head.header("content-type", "text/event-stream").body(made.clone()).unwrap()
        });
        let metrics = metrics.await;
        assert_eq!(metrics.of(kind), metrics.calls, "{body}: {metrics:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_and_hung_are_told_apart() {
    let after = async |wait: Duration| {
        let scenario = Scenario::new(quarter()).rate(5.0);
        let harness = scenario.harness();
        let client = service_fn(move |_: Request| async move {
            sleep(wait).await;
            let head = http::Response::builder().header("x-served-by", "primary");
            Ok::<_, Error>(head.body(json(WORDS)).unwrap())
        });
        let metrics = scenario.play("x", &harness, client).await;
        (metrics.late == metrics.calls, metrics.late, metrics.hung, metrics.calls)
    };
    let (_, late, hung, _) = after(30 * SECOND).await;
    assert_eq!((late, hung), (0, 0));
    let (all_late, _, hung, _) = after(31 * SECOND).await;
    assert_eq!((all_late, hung), (true, 0));
    let (_, late, hung, calls) = after(121 * SECOND).await;
    assert_eq!((late, hung), (0, calls));
}

/// Uses the primary, and the secondary in this period of the incident.
async fn switched(spell: std::ops::Range<u64>) -> Metrics {
    let scenario = Scenario::new(quarter()).arrivals(Arrivals::Even).seed(9);
    let harness = scenario.harness();
    let (primary, secondary) = (harness.primary().clone(), harness.secondary().clone());
    let start = Instant::now();
    let client = service_fn(move |request: Request| {
        let away = spell.contains(&start.elapsed().as_secs());
        (if away { &secondary } else { &primary }).clone().oneshot(request)
    });
    scenario.play("x", &harness, client).await
}

#[tokio::test(start_paused = true)]
async fn detection_and_recovery_are_measured_from_the_phases() {
    // Down from 240 s, healthy from 600 s.
    let metrics = switched(250..630).await;
    let [Some(detect)] = metrics.detect_s[..] else { panic!("{metrics:?}") };
    let [Some(recover)] = metrics.recover_s[..] else { panic!("{metrics:?}") };
    assert!((9.9..11.1).contains(&detect) && (29.0..31.1).contains(&recover), "{detect} {recover}");
    assert_eq!(metrics.attempts_primary_down, 10);

    let metrics = switched(0..9999).await;
    assert!(metrics.detect_s[0].unwrap() < 1.0, "nothing goes there even before");
    assert_eq!((metrics.recover_s[0], metrics.attempts_primary), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_call_by_call() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let scenario =
        Scenario::new(quarter()).on_progress(move |progress| told.lock().unwrap().push(progress));
    let calls = plain(&scenario).await.0.calls;
    let seen = seen.lock().unwrap();
    let mut made: Vec<_> = seen.iter().map(|progress| progress.made).collect();
    made.dedup();
    assert_eq!(made, (1..=calls).collect::<Vec<_>>());
    let ended: Vec<_> = seen.iter().map(|progress| progress.answered + progress.failed).collect();
    assert!(ended.is_sorted() && ended.iter().zip(&made).all(|(ended, made)| ended < made));
    assert_eq!(ended.last(), Some(&calls), "the last word is told when all have ended");
    assert!(seen.iter().all(|progress| progress.calls == calls));
    assert!(seen.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

// === the probe ===

/// Wraps a service in its own future.
#[derive(Clone)]
struct Around<S, F>(S, F);

type Call = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

impl<S, F> Service<Request> for Around<S, F>
where
    S: Service<Request, Response = Response, Error = Error>,
    F: Fn(&mut S, Request) -> Call,
{
    type Response = Response;
    type Error = Error;
    type Future = Call;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Call {
        (self.1)(&mut self.0, request)
    }
}

fn around(
    call: impl Fn(&mut Probe, Request) -> Call + Clone + Send + Sync + 'static,
) -> impl Layer<Probe, Service = Around<Probe, impl Fn(&mut Probe, Request) -> Call + Clone + Send + Sync>>
{
    layer_fn(move |probe| Around(probe, call.clone()))
}

async fn broken(
    call: impl Fn(&mut Probe, Request) -> Call + Clone + Send + Sync + 'static,
) -> Vec<Rule> {
    let found = probe::check(around(call)).await;
    let mut rules: Vec<_> = found.into_iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_keeps_the_contract_is_clean() {
    assert_eq!(probe::check(Identity::new()).await, []);
    let moved = |probe: &mut Probe, request: Request| -> Call {
        let mut ready = std::mem::replace(probe, probe.clone());
        Box::pin(async move { ready.call(request).await })
    };
    assert_eq!(broken(moved).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_calls_a_fresh_clone_is_found() {
    let clones = |probe: &mut Probe, request: Request| -> Call {
        let mut clone = probe.clone();
        Box::pin(async move { clone.call(request).await })
    };
    assert_eq!(broken(clones).await, [Rule::CalledUnready]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_calls_twice_on_one_readiness_is_found() {
    let twice = |probe: &mut Probe, request: Request| -> Call {
        drop(probe.call(request.clone()));
        probe.call(request)
    };
    assert_eq!(broken(twice).await, [Rule::CalledUnready]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_leaves_a_task_behind_is_found() {
    let spawns = |probe: &mut Probe, request: Request| -> Call {
        let task = tokio::spawn(probe.call(request));
        Box::pin(async move { task.await.unwrap() })
    };
    assert_eq!(broken(spawns).await, [Rule::LeftBehind]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_changes_the_answer_is_found() {
    let changes = |probe: &mut Probe, request: Request| -> Call {
        let call = probe.call(request);
        Box::pin(async move { Ok(call.await?.map(|_| "ok".into())) })
    };
    assert!(broken(changes).await.contains(&Rule::Changed));
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_spins_is_found() {
    let spins = |probe: &mut Probe, request: Request| -> Call {
        let mut ready = std::mem::replace(probe, probe.clone());
        let mut other = ready.clone();
        let call = ready.call(request);
        Box::pin(async move {
            for _ in 0..100 {
                std::future::poll_fn(|cx| {
                    let _ = other.poll_ready(cx);
                    Poll::Ready(())
                })
                .await;
            }
            call.await
        })
    };
    assert!(broken(spins).await.contains(&Rule::Spins));
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_panics_or_never_ends_is_found() {
    let panics = |_: &mut Probe, _: Request| -> Call { Box::pin(async { panic!("on purpose") }) };
    assert!(broken(panics).await.contains(&Rule::Panicked));
    let never = |_: &mut Probe, _: Request| -> Call { Box::pin(std::future::pending()) };
    assert!(broken(never).await.contains(&Rule::Stuck));
}

/// Takes a permit with readiness and releases it only when it is called.
#[derive(Clone)]
struct Hoards(Probe, Arc<tokio::sync::Semaphore>);

impl Service<Request> for Hoards {
    type Response = Response;
    type Error = Error;
    type Future = Call;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        std::task::ready!(self.0.poll_ready(cx))?;
        match self.1.try_acquire() {
            Ok(permit) => {
                permit.forget();
                Poll::Ready(Ok(()))
            }
            Err(_) => Poll::Pending,
        }
    }

    fn call(&mut self, request: Request) -> Call {
        let (call, permits) = (self.0.call(request), self.1.clone());
        Box::pin(async move {
            let result = call.await;
            permits.add_permits(1);
            result
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_keeps_what_it_was_never_called_for_is_found() {
    let layer = layer_fn(|probe| Hoards(probe, Arc::new(tokio::sync::Semaphore::new(4))));
    let found = probe::check(layer).await;
    let stuck = |violation: &probe::Violation| violation.rule == Rule::Stuck;
    assert!(
        found.iter().any(|found| stuck(found) && found.during == "ready_and_never_called"),
        "{found:?}"
    );
}
