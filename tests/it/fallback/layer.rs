//! The fallback layer alone: the failures that move down, the changes of a target to a request, and the caller's view.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use evenkeel::{
    Body, ConfigError, Error, Request, Response, Upstream,
    context::AttemptLog,
    fallback::{Canned, Capabilities, Fallback, FallbackPolicy, Target},
    outcome::{Outcome, Rejection, Verdict},
    telemetry::{Event, EventKind, EventSink, SkipReason},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{RequestLog, host, text, with_deadline};

const CHAT: &str = "https://one.example/v1/chat/completions";

fn ask(uri: &str, body: &'static str) -> Request {
    http::Request::post(uri)
        .header(header::AUTHORIZATION, "Bearer the-first-key")
        .header("x-api-key", "the-first-key-again")
        .header("openai-organization", "org-one")
        .header(header::COOKIE, "session=one")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

fn chat() -> Request {
    ask(CHAT, r#"{"model":"big","messages":[{"role":"user","content":"hi"}]}"#)
}

fn answer(status: u16, body: &'static str) -> Response {
    let response = http::Response::builder().status(status);
    response.header("x-from", "provider").body(Body::from(body)).unwrap()
}

fn two() -> FallbackPolicy {
    FallbackPolicy::new()
        .fallback(Fallback::target(Target::new("https://two.example/v1").bearer("the-second-key")))
}

async fn run(
    policy: FallbackPolicy,
    upstream: impl Upstream,
    request: Request,
) -> Result<Response, Error> {
    policy.build().unwrap().layer(upstream).oneshot(request).await
}

fn second_only(request: &Request) -> Result<Response, Error> {
    match host(request) {
        "one.example" => Ok(answer(503, "down")),
        _ => Ok(answer(200, "well")),
    }
}

#[tokio::test]
async fn a_failing_primary_is_followed_by_the_next_target_and_the_answer_is_marked() {
    let log = RequestLog::default();
    let response = run(two(), log.answering(second_only), chat()).await.unwrap();
    assert_eq!(log.hosts(), ["one.example", "two.example"]);
    assert_eq!(response.headers()["evenkeel-served-by"], "two.example");
    assert!(response.headers().contains_key("evenkeel-attempts"));
    assert_eq!(text(response).await, "well");
}

#[tokio::test]
async fn the_first_target_answers_without_a_mark() {
    let log = RequestLog::default();
    let upstream = log.answering(|_| Ok(answer(200, "well")));
    let response = run(two(), upstream, chat()).await.unwrap();
    assert_eq!(log.hosts(), ["one.example"]);
    assert_eq!(response.headers().len(), 1);
}

#[tokio::test]
async fn the_key_of_one_target_is_never_sent_to_another_host() {
    let log = RequestLog::default();
    run(two(), log.answering(second_only), chat()).await.unwrap();
    let sent = log.last();
    assert_eq!(sent.headers()[header::AUTHORIZATION], "Bearer the-second-key");
    for name in ["x-api-key", "openai-organization", "cookie"] {
        assert!(!sent.headers().contains_key(name), "{name} reached the second host");
    }
    assert!(sent.headers()[header::AUTHORIZATION].is_sensitive());
}

#[tokio::test]
async fn a_key_in_any_header_stays_at_its_host() {
    let names = [
        "ocp-apim-subscription-key",
        "cf-aig-authorization",
        "x-portkey-api-key",
        "helicone-auth",
        "x-amz-security-token",
        "x-signature",
        "proxy-authorization",
        "x-session-id",
        "openai-project",
    ];
    let along = ["content-type", "accept", "user-agent", "traceparent", "x-request-id"];
    let mut request = chat();
    for name in names.iter().chain(&along) {
        request.headers_mut().insert(*name, "one".parse().unwrap());
    }
    let mut marked: HeaderValue = "one".parse().unwrap();
    marked.set_sensitive(true);
    request.headers_mut().insert("x-tenant", marked);
    let log = RequestLog::default();
    run(two(), log.answering(second_only), request).await.unwrap();
    let sent = log.last();
    assert_eq!(log.all()[0].headers().len(), 4 + names.len() + along.len() + 1);
    let mut left: Vec<_> = sent.headers().keys().map(|name| name.as_str()).collect();
    left.sort_unstable();
    let mut expected = [&along[..], &["authorization"]].concat();
    expected.sort_unstable();
    assert_eq!(left, expected);
}

#[tokio::test]
async fn a_target_without_a_key_gets_none() {
    let log = RequestLog::default();
    let policy =
        FallbackPolicy::new().fallback(Fallback::target(Target::new("https://two.example/v1")));
    run(policy, log.answering(second_only), chat()).await.unwrap();
    assert!(!log.last().headers().contains_key(header::AUTHORIZATION));
}

#[tokio::test]
async fn another_port_or_scheme_of_the_same_host_is_another_host() {
    for base in ["https://one.example:8443/v1", "http://one.example/v1"] {
        let log = RequestLog::default();
        let policy = FallbackPolicy::new().primary(Target::new(base));
        let upstream = log.answering(|_| Ok(answer(200, "well")));
        run(policy, upstream, chat()).await.unwrap();
        assert!(!log.last().headers().contains_key(header::AUTHORIZATION), "{base}");
    }
}

#[tokio::test]
async fn a_key_in_the_query_stays_at_its_host() {
    let queries = [
        ("alt=sse&key=secret", Some("alt=sse")),
        ("api_key=x", None),
        ("access_token=x", None),
        ("sv=1&sig=x", None),
        ("limit=2&pageToken=next&sig=x", Some("limit=2&pageToken=next")),
        ("API-KEY=x", None),
    ];
    for (query, left) in queries {
        let log = RequestLog::default();
        let request = ask(&format!("https://one.example/v1/chat/completions?{query}"), "{}");
        run(two(), log.answering(second_only), request).await.unwrap();
        assert_eq!(log.last().uri().query(), left, "{query}");
    }
}

#[tokio::test]
async fn the_key_of_another_account_at_the_same_host_replaces_the_first() {
    let log = RequestLog::default();
    let policy = FallbackPolicy::new().primary(
        Target::same_host()
            .credential(HeaderName::from_static("x-api-key"), "another")
            .model("small"),
    );
    let upstream = log.answering(|_| Ok(answer(200, "well")));
    run(policy, upstream, chat()).await.unwrap();
    let sent = log.last();
    assert_eq!(sent.headers()["x-api-key"], "another");
    assert!(!sent.headers().contains_key(header::AUTHORIZATION));
    assert!(!sent.headers().contains_key(header::COOKIE), "it is of the first account");
}

#[tokio::test]
async fn the_path_is_appended_to_the_base() {
    let cases = [
        ("https://b.example", CHAT, "https://b.example/v1/chat/completions"),
        ("https://b.example/", CHAT, "https://b.example/v1/chat/completions"),
        ("https://b.example/api/v1/", CHAT, "https://b.example/api/v1/chat/completions"),
        ("http://b.example:8080/x", CHAT, "http://b.example:8080/x/chat/completions"),
        (
            "https://b.example/v1",
            "https://a.example/v1/embeddings?n=1&limit=2",
            "https://b.example/v1/embeddings?limit=2",
        ),
        (
            "https://b.example/v1?api-version=2",
            CHAT,
            "https://b.example/v1/chat/completions?api-version=2",
        ),
        ("https://b.example/v1", "https://a.example/openai/v1/files", "https://b.example/v1/files"),
        ("https://b.example/v1", "https://a.example/v1", "https://b.example/v1"),
    ];
    for (base, from, to) in cases {
        let log = RequestLog::default();
        let policy = FallbackPolicy::new().primary(Target::new(base));
        let upstream = log.answering(|_| Ok(answer(200, "well")));
        run(policy, upstream, ask(from, "{}")).await.unwrap();
        assert_eq!(log.last().uri().to_string(), to, "{from} at {base}");
    }
}

#[tokio::test]
async fn the_path_of_every_dialect_is_appended_to_the_base() {
    let messages = "https://one.example/v1/messages?beta=true";
    let gemini = "https://one.example/v1beta/models/g:streamGenerateContent?alt=sse";
    let vertex = "https://v.example/v1/projects/p/locations/l/publishers/google";
    let cases = [
        ("https://b.example/v1", messages, "https://b.example/v1/messages?beta=true"),
        ("https://b.example", messages, "https://b.example/v1/messages?beta=true"),
        // The base URL of this API usually has no version.
        (
            "https://b.example/anthropic",
            messages,
            "https://b.example/anthropic/v1/messages?beta=true",
        ),
        (
            "https://b.example/v1",
            "https://one.example/x/v1/messages/count_tokens",
            "https://b.example/v1/messages/count_tokens",
        ),
        (
            "https://b.example/v1",
            "https://one.example/openai/responses",
            "https://b.example/v1/responses",
        ),
        (
            "https://b.example/x",
            "https://one.example/v1/responses",
            "https://b.example/x/responses",
        ),
        (
            "https://b.example/v1",
            gemini,
            "https://b.example/v1/models/g:streamGenerateContent?alt=sse",
        ),
        (
            "https://b.example/gemini",
            gemini,
            "https://b.example/gemini/v1beta/models/g:streamGenerateContent?alt=sse",
        ),
        (vertex, gemini, &format!("{vertex}/models/g:streamGenerateContent?alt=sse")),
        (
            "http://b.example:11434",
            "http://one.example/api/chat",
            "http://b.example:11434/api/chat",
        ),
        (
            "http://b.example/ollama",
            "http://one.example/x/api/generate",
            "http://b.example/ollama/api/generate",
        ),
        ("http://b.example/api/", "http://one.example/api/chat", "http://b.example/api/chat"),
    ];
    for (base, from, to) in cases {
        let log = RequestLog::default();
        let policy = FallbackPolicy::new().primary(Target::new(base));
        let upstream = log.answering(|_| Ok(answer(200, "well")));
        run(policy, upstream, ask(from, "{}")).await.unwrap();
        assert_eq!(log.last().uri().to_string(), to, "{from} at {base}");
    }
}

#[tokio::test]
async fn the_model_of_a_target_replaces_the_one_in_a_path() {
    let log = RequestLog::default();
    let target = Target::new("https://two.example/v1beta?key=mine").model("smaller");
    let from = "https://one.example/v1beta/models/big:streamGenerateContent?alt=sse&key=theirs";
    let upstream = log.answering(|_| Ok(answer(200, "well")));
    run(FallbackPolicy::new().primary(target), upstream, ask(from, r#"{"model":"x"}"#))
        .await
        .unwrap();
    let to = "https://two.example/v1beta/models/smaller:streamGenerateContent?key=mine&alt=sse";
    assert_eq!(log.last().uri().to_string(), to);
    assert_eq!(log.last_body(), r#"{"model":"x"}"#);
}

#[tokio::test]
async fn the_key_of_a_target_replaces_the_one_in_the_query() {
    let log = RequestLog::default();
    let key = HeaderName::from_static("x-goog-api-key");
    let target = Target::same_host().credential(key, "another");
    let from = "https://one.example/v1beta/models/m:generateContent?x=1&key=theirs";
    let upstream = log.answering(|_| Ok(answer(200, "well")));
    run(FallbackPolicy::new().primary(target), upstream, ask(from, "{}")).await.unwrap();
    assert_eq!(log.last().uri().query(), Some("x=1"));
}

#[tokio::test]
async fn a_canned_reply_has_the_dialect_of_the_request() {
    for (path, kind, part) in [
        ("/v1/messages", "text/event-stream; charset=utf-8", "event: message_stop"),
        ("/v1/responses", "text/event-stream; charset=utf-8", "event: response.completed"),
        ("/v1beta/models/m:generateContent", "application/json", "\"finishReason\":\"STOP\""),
        ("/v1beta/models/m:streamGenerateContent", "application/json", "[{\"candidates\""),
        (
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            "text/event-stream; charset=utf-8",
            "data: {\"candidates\"",
        ),
        ("/api/chat", "application/x-ndjson", "\"message\":{"),
        ("/api/generate", "application/x-ndjson", "\"response\":"),
    ] {
        let log = RequestLog::default();
        let policy = FallbackPolicy::new().fallback(Fallback::canned("Back soon."));
        let upstream = log.answering(|_| Ok(answer(503, "down")));
        let request = ask(&format!("https://one.example{path}"), r#"{"model":"m","stream":true}"#);
        let response = run(policy, upstream, request).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{path}");
        let text = text(response).await;
        assert!(text.contains(part) && text.contains("Back soon."), "{path} {text}");
    }
}

#[tokio::test]
async fn the_model_of_a_target_replaces_the_callers_and_the_length_follows() {
    let log = RequestLog::default();
    let policy = FallbackPolicy::new().primary(Target::same_host().model("a-much-longer-name"));
    let mut request = chat();
    let length = request.body().len();
    request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    let upstream = log.answering(|_| Ok(answer(200, "well")));
    run(policy, upstream, request).await.unwrap();
    let body = log.last_body();
    assert!(body.starts_with(r#"{"model":"a-much-longer-name","messages":"#), "{body:?}");
    assert_eq!(log.last().headers()[header::CONTENT_LENGTH], body.len().to_string());
}

#[tokio::test]
async fn when_all_fail_the_caller_sees_the_first_failure_byte_for_byte() {
    let log = RequestLog::default();
    let upstream = log.answering(|request| match host(request) {
        "one.example" => Ok(answer(529, "the first")),
        _ => Err(Error::new(Outcome::Unreachable)),
    });
    let response = run(two(), upstream, chat()).await.unwrap();
    assert_eq!(response.status().as_u16(), 529);
    assert!(!response.headers().contains_key("evenkeel-served-by"));
    assert_eq!(text(response).await, "the first");
}

#[tokio::test]
async fn an_invalid_request_and_a_refusal_are_returned_unchanged() {
    for outcome in [Outcome::Rejected { why: Rejection::Request }, Outcome::Blocked] {
        let log = RequestLog::default();
        let upstream = log.answering(move |_| Err(Error::new(outcome)));
        let policy = two().fallback(Fallback::canned("never seen"));
        let error = run(policy, upstream, chat()).await.unwrap_err();
        assert_eq!((error.outcome(), log.hosts().len()), (outcome, 1));
    }
}

#[tokio::test]
async fn a_second_target_that_finds_the_request_wrong_does_not_end_the_call() {
    let log = RequestLog::default();
    let upstream = log.answering(|request| match host(request) {
        "one.example" => Ok(answer(503, "down")),
        _ => Err(Error::new(Outcome::Rejected { why: Rejection::Request })),
    });
    let response = run(two().fallback(Fallback::canned("busy")), upstream, chat()).await.unwrap();
    assert_eq!(response.headers()["evenkeel-served-by"], "canned");
}

#[tokio::test]
async fn a_rejected_key_and_a_missing_model_move_down() {
    for why in [Rejection::Credential, Rejection::Model] {
        let log = RequestLog::default();
        let upstream = log.answering(move |request| match host(request) {
            "one.example" => Err(Error::new(Outcome::Rejected { why })),
            _ => Ok(answer(200, "well")),
        });
        let response = run(two(), upstream, chat()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_request_too_large_goes_to_a_larger_context_only() {
    let log = RequestLog::default();
    let small = |host: &str| Fallback::target(Target::new(format!("https://{host}/v1")));
    let policy = FallbackPolicy::new()
        .first(Fallback::original_request().capabilities(Capabilities::default().context(100_000)))
        .fallback(small("two.example").capabilities(Capabilities::default().context(50_000)))
        .fallback(small("three.example").capabilities(Capabilities::default().context(1_000_000)));
    let upstream = log.answering(|request| match host(request) {
        "three.example" => Ok(answer(200, "well")),
        _ => Err(Error::new(Outcome::TooLarge)),
    });
    run(policy, upstream, chat()).await.unwrap();
    assert_eq!(log.hosts(), ["one.example", "three.example"]);
}

#[tokio::test]
async fn a_call_with_tools_skips_a_fallback_without_tools() {
    let log = RequestLog::default();
    let skipped = Arc::new(Mutex::new(Vec::new()));
    let seen = skipped.clone();
    let events = EventSink::new(move |event: &Event| {
        if let EventKind::FallbackSkipped { name, reason, .. } = &event.kind {
            seen.lock().unwrap().push((name.to_string(), *reason));
        }
    });
    let fallback = Fallback::target(Target::new("https://two.example/v1"))
        .capabilities(Capabilities::default().tools(false));
    let layer = FallbackPolicy::new()
        .fallback(fallback)
        .fallback(Fallback::canned("busy"))
        .build()
        .unwrap();
    let body =
        r#"{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f"}}]}"#;
    let service = layer.events(events).layer(log.answering(second_only));
    let response = service.oneshot(ask(CHAT, body)).await.unwrap();
    assert_eq!(response.headers()["evenkeel-served-by"], "canned");
    assert_eq!(*skipped.lock().unwrap(), [("two.example".into(), SkipReason::Capability)]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_target_is_left_in_time_for_the_fallbacks_below() {
    let upstream = service_fn(|request: Request| async move {
        if request.uri().host() == Some("one.example") {
            std::future::pending::<()>().await;
        }
        Ok(answer(200, "well"))
    });
    let request = with_deadline(chat(), Duration::from_secs(30));
    let started = tokio::time::Instant::now();
    let response = run(two(), upstream, request).await.unwrap();
    assert_eq!(response.headers()["evenkeel-served-by"], "two.example");
    assert_eq!(started.elapsed(), Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_short_deadline_asks_the_first_target_although_its_reserve_is_larger() {
    let policy = |reserve| {
        let first = Fallback::original_request().reserve(Duration::from_secs(reserve));
        FallbackPolicy::new().first(first).fallback(Fallback::canned("busy"))
    };
    for (reserve, asked_for) in [(10, 2), (5, 2), (4, 2), (1, 5)] {
        let upstream = service_fn(|_: Request| async {
            std::future::pending::<()>().await;
            Ok(answer(200, "never"))
        });
        let request = with_deadline(chat(), Duration::from_secs(6));
        let started = tokio::time::Instant::now();
        let response = run(policy(reserve), upstream, request).await.unwrap();
        assert_eq!(response.headers()["evenkeel-served-by"], "canned");
        assert_eq!(started.elapsed(), Duration::from_secs(asked_for));
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_targets_are_silent_the_canned_reply_comes_before_the_deadline() {
    let upstream = service_fn(|_: Request| async {
        std::future::pending::<()>().await;
        Ok(answer(200, "never"))
    });
    let request = with_deadline(chat(), Duration::from_secs(30));
    let started = tokio::time::Instant::now();
    let policy = two().fallback(Fallback::canned("We are very busy."));
    let response = run(policy, upstream, request).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(text(response).await.contains("We are very busy."));
}

#[tokio::test]
async fn a_canned_reply_has_the_requested_form_and_can_depend_on_the_request() {
    let canned = Canned::from_request(|request| format!("asked {} bytes", request.body().len()));
    let policy = || FallbackPolicy::new().fallback(Fallback::reply(canned.clone()).named("sorry"));
    let log = RequestLog::default();
    let streamed = r#"{"model":"m","stream":true,"messages":[]}"#;
    for (body, kind) in [("{}", "application/json"), (streamed, "text/event-stream")] {
        let upstream = log.answering(|_| Ok(answer(503, "down")));
        let response = run(policy(), upstream, ask(CHAT, body)).await.unwrap();
        assert_eq!(response.headers()["evenkeel-served-by"], "sorry");
        let verdict = response.extensions().get::<Verdict>().expect("as every answer");
        assert!(verdict.outcome().is_success());
        assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with(kind));
        assert!(text(response).await.contains(&format!("asked {} bytes", body.len())));
    }
}

#[tokio::test]
async fn a_path_without_a_dialect_has_no_canned_reply() {
    let log = RequestLog::default();
    let upstream = log.answering(|_| Ok(answer(503, "down")));
    let policy = FallbackPolicy::new().fallback(Fallback::canned("busy"));
    let request = ask("https://one.example/v1/embeddings", "{}");
    let response = run(policy, upstream, request).await.unwrap();
    assert_eq!(text(response).await, "down");
}

#[test]
fn wrong_fallbacks_are_refused_with_field_value_and_what_is_allowed() {
    let target = |base: &str| FallbackPolicy::new().fallback(Fallback::target(Target::new(base)));
    let fallback = |fallback: Fallback| FallbackPolicy::new().fallback(fallback);
    let field = |policy: FallbackPolicy| -> ConfigError { policy.build().unwrap_err() };
    let cases = [
        (target("/v1"), "fallbacks[1].base_url", "/v1"),
        (target("nonsense host"), "fallbacks[1].base_url", "nonsense host"),
        (target("ftp://a.example"), "fallbacks[1].base_url", "ftp://a.example"),
        (target(""), "fallbacks[1].base_url", ""),
        (fallback(Fallback::target(Target::same_host())), "fallbacks[1].target", "empty"),
        (fallback(Fallback::target(Target::same_host().model(" "))), "fallbacks[1].model", ""),
        (fallback(Fallback::canned("x").named("a\nb")), "fallbacks[1].name", "a\\nb"),
        (fallback(Fallback::canned("x").named("")), "fallbacks[1].name", ""),
        (fallback(Fallback::canned("x")).fallback(Fallback::canned("y")), "fallbacks[1]", "canned"),
    ];
    for (policy, name, value) in cases {
        let error = field(policy);
        assert_eq!(error.field(), name);
        let text = error.to_string();
        assert!(text.contains(value) && text.contains("allowed is"), "{text}");
    }
    let secret = field(fallback(Fallback::target(Target::same_host().bearer("se\ncret"))));
    assert!(!secret.to_string().contains("cret\"") && secret.field().ends_with("credential"));
    let user = field(target("https://user:hunter2@a.example/v1"));
    assert!(!user.to_string().contains("hunter2"));
}

#[test]
fn no_debug_output_of_a_target_shows_a_secret() {
    let target = Target::new("https://a.example/v1?key=secret-1").bearer("secret-2");
    let fallback = Fallback::target(target);
    assert!(!format!("{fallback:?}").contains("secret"));
}

#[tokio::test]
async fn the_attempt_log_names_the_fallback_that_answered() {
    let log = RequestLog::default();
    let client = evenkeel::Client::builder()
        .fallback(Fallback::canned("busy"))
        .build_with(log.answering(|_| Err(Error::new(Outcome::QuotaExhausted { wait: None }))))
        .unwrap();
    let response = client.send(chat()).await.unwrap();
    let attempt_log = response.extensions().get::<AttemptLog>().unwrap();
    assert_eq!(attempt_log.served_by().as_deref(), Some("canned"));
    assert_eq!(attempt_log.attempts()[0].outcome, Outcome::QuotaExhausted { wait: None });
    assert_eq!(attempt_log.attempts()[0].name.as_deref(), Some("primary"));
    assert_eq!(attempt_log.attempts()[0].route.provider(), "one.example");
}
