//! Errors of the gateway itself.

use std::time::Duration;

use bytes::Bytes;
use evenkeel_testkit::{Provider, Reply, Server};
use serde_json::Value;
use tokio::net::TcpListener;

use super::support::{Models, RecordingUpstream, client, gateway_for, gateway_with};

/// A URL without a listener.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn json(response: reqwest::Response) -> Value {
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_a_502_in_the_callers_language() {
    let gateway = gateway_with("[limits]\nretries = 0\n", &["--upstream", &nobody().await]).await;
    let post = async |path: &str| {
        let request = client().post(gateway.at(path)).header("authorization", "Bearer sk-secret");
        let response = request.body(r#"{"model":"m"}"#).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["evenkeel-served-by"]),
            (502, &"gateway".parse().unwrap()),
            "{path}"
        );
        assert_eq!(response.headers()["evenkeel-attempts"], "1", "{path}");
        let value = json(response).await;
        assert!(!value.to_string().contains("sk-secret"));
        value
    };
    let chat = post("/v1/chat/completions").await;
    assert_eq!(
        (&chat["error"]["type"], &chat["error"]["code"]),
        (&"server_error".into(), &"evenkeel_unreachable".into())
    );
    assert_eq!(post("/v1/responses").await["error"]["code"], "evenkeel_unreachable");
    let anthropic = post("/v1/messages").await;
    assert_eq!(
        (&anthropic["type"], &anthropic["error"]["type"]),
        (&"error".into(), &"api_error".into())
    );
    let gemini = post("/v1beta/models/m:generateContent").await;
    assert_eq!(
        (&gemini["error"]["code"], &gemini["error"]["status"]),
        (&502.into(), &"UNAVAILABLE".into())
    );
    assert!(post("/api/chat").await["error"].is_string());
    assert_eq!(post("/v1/embeddings").await["error"]["code"], "evenkeel_unreachable");
}

#[tokio::test]
async fn silence_is_a_504_and_a_breaker_that_refuses_a_503_with_its_wait() {
    let server = Server::start(Provider::new("primary").always(Reply::hang())).await.unwrap();
    let gateway = gateway_for(&server.url()).await;
    for n in 0..5 {
        let response = gateway.chat("m", n % 2 == 0).send().await.unwrap();
        assert_eq!(response.status(), 504, "{n}");
        assert_eq!(json(response).await["error"]["code"], "evenkeel_timed_out");
    }
    let response = gateway.chat("m", true).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["evenkeel-attempts"]),
        (503, &"0".parse().unwrap())
    );
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(json(response).await["error"]["code"], "evenkeel_refused");

    let health = gateway.health().await;
    let route = &health["routes"][0];
    assert_eq!(
        (&health["status"], &route["state"], &route["model"]),
        (&"ok".into(), &"open".into(), &"m".into())
    );
    assert!(route["retry_in"].as_f64().unwrap() > 0.0);
    assert!(!health.to_string().contains("key-of-the-caller"));
    assert_eq!(server.provider().count(), 5);
}

#[tokio::test]
async fn a_callers_own_deadline_holds() {
    let server = Server::start(Provider::new("primary").always(Reply::hang())).await.unwrap();
    let gateway = gateway_with("", &["--upstream", &server.url()]).await;
    let start = tokio::time::Instant::now();
    let request = gateway.chat("m", false).header("evenkeel-deadline-ms", "300");
    assert_eq!(request.send().await.unwrap().status(), 504);
    assert!(start.elapsed() < Duration::from_secs(10), "not the profile's");
}

#[tokio::test]
async fn five_callers_in_a_hurry_do_not_close_the_route_for_one_with_time() {
    let reply = Reply::answer().head_after(Duration::from_millis(800));
    let server = Server::start(Provider::new("primary").always(reply)).await.unwrap();
    let gateway = gateway_with("", &["--upstream", &server.url()]).await;
    for _ in 0..5 {
        let request = gateway.chat("m", false).header("evenkeel-deadline-ms", "300");
        assert_eq!(request.send().await.unwrap().status(), 504);
    }
    assert_eq!(gateway.chat("m", false).send().await.unwrap().status(), 200);
    assert_eq!(gateway.health().await["routes"][0]["state"], "closed");
}

#[tokio::test]
async fn a_wish_that_is_none_is_refused_in_the_callers_language_and_nothing_is_sent() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(Default::default).await).await;
    for (name, value) in [
        ("evenkeel-fallbacks", ""),
        ("evenkeel-fallbacks", "a b"),
        ("evenkeel-commit", "whole"),
        ("evenkeel-deadline-ms", "x"),
        ("evenkeel-deadline-ms", "0"),
        ("evenkeel-priority", "high"),
        ("evenkeel-affinity", ""),
        ("evenkeel-sticky", ""),
        ("evenkeel-tenant", ""),
        ("evenkeel-mid-stream-failure", "resume"),
        ("evenkeel-dialect", "openai"),
    ] {
        let request = client().post(gateway.at("/v1/messages")).header(name, value).body("{}");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error = json(response).await;
        assert_eq!(error["error"]["type"], "invalid_request_error");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("the header {name} is ")), "{error}");
        assert!(message.contains("; allowed is "), "{error}");
    }
    assert!(seen.all().is_empty());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_413_and_the_gateway_is_well_after_it() {
    let models = Models::default();
    let gateway =
        gateway_with("[limits]\nbody = 1000\n", &["--upstream", &models.serve().await]).await;
    let large = Bytes::from(vec![b' '; 5_000_000]);
    for sized in [true, false] {
        let body = match sized {
            true => large.clone().into(),
            false => {
                reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(
                    large.clone(),
                )]))
            }
        };
        let response = client().post(gateway.at("/v1/messages")).body(body).send().await.unwrap();
        assert_eq!(response.status(), 413, "{sized}");
        let error = json(response).await;
        assert_eq!(error["error"]["type"], "request_too_large");
        assert!(error["error"]["message"].as_str().unwrap().contains("1000 bytes"));
    }
    assert_eq!(gateway.chat("m", false).send().await.unwrap().status(), 200);
    // Requests that are not chats are streamed, whatever their size.
    let response = client().post(gateway.at("/v1/files")).body(large).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn health_is_told_while_the_upstream_is_down_and_never_asked_of_it() {
    let gateway = gateway_for(&nobody().await).await;
    assert_eq!(gateway.health().await["status"], "ok");
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(Default::default).await).await;
    for method in ["GET", "HEAD", "POST"] {
        let response = client()
            .request(method.parse().unwrap(), gateway.at("/healthz?x=y"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
    }
    assert!(seen.all().is_empty());
}
