//! Callers that are known by a token.

use std::time::Duration;

use evenkeel_testkit::{Fault, Reply, WORDS};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::support::{
    Models, QUICK, RecordingUpstream, TempConfig, TestGateway, client, gateway_with,
};

/// An answer of Gemini, and of OpenAI.
const ANSWER: &str = r#"{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"finishReason":"STOP"}],
    "choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

/// A gateway for these callers, whose upstream has no key.
async fn known(url: &str, toml: &str) -> TestGateway {
    gateway_with(&format!("{toml}\n{QUICK}"), &["--upstream", url]).await
}

/// A caller with the token `token-of-NAME`, as its hash.
fn caller(name: &str, rest: &str) -> String {
    let digest = Sha256::digest(format!("token-of-{name}"));
    let token: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[caller]]\nname = \"{name}\"\ntoken_sha256 = \"{token}\"\n{rest}\n")
}

fn chat(gateway: &TestGateway, model: &str, token: &str) -> reqwest::RequestBuilder {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
    client().post(gateway.at("/v1/chat/completions")).bearer_auth(token).body(body)
}

async fn status(call: reqwest::RequestBuilder) -> u16 {
    call.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_call_without_a_known_token_is_401_in_its_dialect_and_asks_no_upstream() {
    let seen = RecordingUpstream::default();
    let url = seen.answering(|| http::Response::new("{}".into())).await;
    let gateway = known(&url, &caller("a", "")).await;
    for (path, at, kind) in [
        ("/v1/chat/completions", "/error/code", "evenkeel_unknown_caller"),
        ("/v1/responses", "/error/code", "evenkeel_unknown_caller"),
        ("/v1/messages", "/error/type", "authentication_error"),
        ("/v1beta/models/m:generateContent", "/error/status", "UNAUTHENTICATED"),
        ("/api/chat", "/error", "evenkeel: the request has no token"),
        ("/v1/unknown", "/error/code", "evenkeel_unknown_caller"),
    ] {
        for token in [None, Some("wrong"), Some("token-of-"), Some("")] {
            let call = client().post(gateway.at(path)).body("{}");
            let answer =
                token.into_iter().fold(call, |call, it| call.bearer_auth(it)).send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
                (401, &"Bearer".parse().unwrap())
            );
            let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            let found = body.pointer(at).and_then(Value::as_str);
            assert!(found.is_some_and(|found| found.starts_with(kind)), "{path}: {body}");
            assert!(!body.to_string().contains("wrong\""), "{body}");
        }
    }
    assert!(seen.all().is_empty());
    // For the probes of orchestrators.
    assert_eq!(gateway.health().await["status"], "ok");
}

#[tokio::test]
async fn a_token_is_read_wherever_a_client_sends_its_key_and_never_reaches_the_upstream() {
    let seen = RecordingUpstream::default();
    let url = seen.answering(|| http::Response::new(ANSWER.into())).await;
    let gateway = known(&url, &caller("a", "")).await;
    for (query, header, value) in [
        ("", "authorization", "Bearer token-of-a"),
        ("", "authorization", "bearer token-of-a"),
        ("", "x-api-key", "token-of-a"),
        ("", "x-goog-api-key", "token-of-a"),
        ("", "api-key", "token-of-a"),
        ("", "evenkeel-token", "token-of-a"),
        ("?alt=sse&key=token-of-a", "x-any", "1"),
        ("?key=token-of-a&alt=sse", "x-copy", "token-of-a"),
    ] {
        let call = client().post(gateway.at(&format!("/v1beta/models/m:generateContent{query}")));
        let call = call.header(header, value).header("x-kept", "1").body("{}");
        assert_eq!(status(call).await, 200, "{header} {query}");
        let (parts, _) = seen.all().pop().unwrap();
        let sent = format!("{} {:?}", parts.uri, parts.headers);
        assert!(!sent.contains("token-of"), "{sent}");
        assert!(parts.headers.contains_key("x-kept"));
        assert_eq!(parts.uri.query(), Some("alt=sse").filter(|_| !query.is_empty()));
    }
    // Beside a key of the caller's own, which is for the upstream.
    let call = chat(&gateway, "m", "key-of-the-caller").header("evenkeel-token", "token-of-a");
    assert_eq!(status(call).await, 200);
    assert_eq!(seen.all().pop().unwrap().0.headers["authorization"], "Bearer key-of-the-caller");
}

#[tokio::test]
async fn the_tenant_of_a_caller_keeps_its_stored_answers_apart() {
    let models = Models::default();
    let callers =
        caller("a", "") + &caller("b", "tenant = \"team\"") + &caller("c", "tenant = \"team\"");
    let gateway =
        known(&models.serve().await, &format!("{callers}[cache]\nserve_fresh_for = 60")).await;
    for (name, tenant, sent) in [
        ("a", None, 1),
        ("a", None, 1),
        ("b", None, 2),
        ("c", None, 2),
        ("c", Some("x"), 3),
        ("b", Some("x"), 3),
        ("a", Some("x"), 4),
        ("a", Some("team"), 5),
    ] {
        let call = chat(&gateway, "m", &format!("token-of-{name}"));
        let call = tenant.into_iter().fold(call, |call, it| call.header("evenkeel-tenant", it));
        let answer = call.send().await.unwrap().text().await.unwrap();
        assert!(answer.contains(WORDS), "{answer}");
        assert_eq!(models.of("m").count(), sent, "{name} {tenant:?}");
    }
}

#[tokio::test]
async fn a_caller_may_request_its_own_models_and_no_others() {
    let models = Models::default().always("down", Reply::status(503));
    let gateway =
        known(&models.serve().await, &caller("a", "models = [\"good*\", \"down\"]")).await;
    let call = |model: &str| chat(&gateway, model, "token-of-a");
    for (call, expected) in [
        (call("good"), 200),
        (call("good-mini"), 200),
        (call("better"), 403),
        (call("down").header("evenkeel-fallbacks", "good"), 200),
        (call("down").header("evenkeel-fallbacks", "good,better"), 403),
        (
            client()
                .post(gateway.at("/v1beta/models/better:generateContent?key=token-of-a"))
                .body("{}"),
            403,
        ),
        (
            client()
                .post(gateway.at("/v1/embeddings"))
                .bearer_auth("token-of-a")
                .body(r#"{"model":"better"}"#),
            403,
        ),
        (
            client()
                .post(gateway.at("/v1/embeddings"))
                .bearer_auth("token-of-a")
                .body(r#"{"input":"x"}"#),
            403,
        ),
        (
            client()
                .post(gateway.at("/v1/embeddings"))
                .bearer_auth("token-of-a")
                .body(r#"{"model":"good","model":"better"}"#),
            403,
        ),
        (client().get(gateway.at("/v1/models")).bearer_auth("token-of-a"), 200),
    ] {
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expected);
        let text = answer.text().await.unwrap();
        assert!(expected == 200 || text.contains("allowed"), "{text}");
    }
    assert_eq!(models.of("better").count(), 0);
}

#[tokio::test]
async fn a_caller_uses_its_own_fallbacks_and_no_others() {
    let models = Models::default().always("down", Reply::status(503));
    let target = |name: &str, url: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\nbase_url = \"{url}/v1\"\nmodel = \"{name}\"\nkey_env = \"A_KEY\"\n"
        )
    };
    let url = models.serve().await;
    let targets = target("cheap", &url) + &target("dear", &url);
    let callers =
        caller("a", "fallbacks = [\"dear\"]") + &caller("b", "fallbacks = []") + &caller("c", "");
    let gateway = known(&url, &format!("{targets}{callers}")).await;
    for (name, served) in [("a", Some("dear")), ("b", None), ("c", Some("cheap"))] {
        let answer = chat(&gateway, "down", &format!("token-of-{name}")).send().await.unwrap();
        let by = answer.headers()["evenkeel-served-by"].to_str().unwrap().to_owned();
        assert_eq!((answer.status() == 200).then_some(&*by), served, "{name}");
    }
}

#[tokio::test]
async fn the_deadline_of_a_caller_is_the_most_that_its_header_may_request() {
    let models = Models::default().always("silent", Reply::answer().with(Fault::Hang));
    let gateway = known(&models.serve().await, &caller("a", "deadline = 0.5")).await;
    for header in [None, Some("60000"), Some("100")] {
        let start = Instant::now();
        let call = chat(&gateway, "silent", "token-of-a");
        let call =
            header.into_iter().fold(call, |call, ms| call.header("evenkeel-deadline-ms", ms));
        assert_eq!(status(call).await, 504, "{header:?}");
        // The deadline of the profile is six seconds here.
        assert!(start.elapsed() < Duration::from_secs(4), "{header:?}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_caller_beyond_its_requests_gets_429_with_a_wait_and_another_caller_does_not() {
    let models = Models::default();
    let limits = "limits = { requests = 2 }";
    let gateway = known(&models.serve().await, &(caller("a", limits) + &caller("b", limits))).await;
    for expected in [200, 200, 429, 429] {
        let answer = chat(&gateway, "m", "token-of-a").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expected);
        let wait = answer
            .headers()
            .get("retry-after")
            .map(|wait| wait.to_str().unwrap().parse::<u64>().unwrap());
        assert_eq!(wait.is_some_and(|wait| (1..=30).contains(&wait)), expected == 429, "{wait:?}");
    }
    assert_eq!(models.of("m").count(), 2);
    assert_eq!(status(chat(&gateway, "m", "token-of-b")).await, 200);
}

#[tokio::test]
async fn a_call_counts_as_concurrent_until_its_answer_has_ended() {
    let models = Models::default();
    let gateway = known(&models.serve().await, &caller("a", "limits = { concurrency = 1 }")).await;
    let endless = super::support::upstream(axum::Router::new().fallback(async || {
        let pieces =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 1024]));
        axum::body::Body::from_stream(pieces)
    }))
    .await;
    let slow = known(&endless, &caller("a", "limits = { concurrency = 1 }")).await;
    let ask = || client().get(slow.at("/v1/endless")).bearer_auth("token-of-a").send();
    let first = ask().await.unwrap();
    assert_eq!(first.status(), 200);
    let second = ask().await.unwrap();
    assert_eq!(
        (second.status().as_u16(), &second.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    drop(first);
    let until = Instant::now() + super::support::LONG;
    while ask().await.unwrap().status() != 200 {
        assert!(Instant::now() < until, "the permit was never returned");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Calls one after the other are never beyond it.
    for _ in 0..20 {
        let answer = chat(&gateway, "m", "token-of-a").send().await.unwrap();
        assert!(answer.text().await.unwrap().contains(WORDS));
    }
    assert_eq!(models.of("m").count(), 20);
}

#[tokio::test]
async fn a_token_file_is_read_again_when_an_unknown_token_arrives() {
    let models = Models::default();
    let file = TempConfig::new("first-token\n");
    let toml = format!("[[caller]]\nname = \"a\"\ntoken_file = {:?}\n", file.path());
    let gateway = known(&models.serve().await, &toml).await;
    assert_eq!(status(chat(&gateway, "m", "first-token")).await, 200);
    assert_eq!(status(chat(&gateway, "m", "second-token")).await, 401);
    std::fs::write(file.path(), "second-token").unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(status(chat(&gateway, "m", "second-token")).await, 200);
    assert_eq!(status(chat(&gateway, "m", "first-token")).await, 401);
    // A file that cannot be used changes nothing.
    std::fs::write(file.path(), " ").unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(status(chat(&gateway, "m", "other-token")).await, 401);
    assert_eq!(status(chat(&gateway, "m", "second-token")).await, 200);
}
