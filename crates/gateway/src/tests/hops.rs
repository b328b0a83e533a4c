//! What is between two hops: methods, protocols, gateways that are pointed at themselves.

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::support::{
    QUICK, RecordingUpstream, TestGateway, client, gateway_for, gateway_with, setup,
};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

fn failing() -> Response<Body> {
    Response::builder().status(500).body(Body::from("{}")).unwrap()
}

/// Sends bytes as they are: the whole answer.
async fn raw(gateway: &TestGateway, request: &str) -> String {
    let address = gateway.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that was refused may be reset after its answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn tunnels_and_traces_are_refused_with_the_methods_that_are_allowed() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(failing).await).await;
    for line in ["CONNECT example.com:443", "CONNECT /v1/chat/completions", "TRACE /v1/models"] {
        let request = format!(
            "{line} HTTP/1.1\r\nhost: x\r\nauthorization: secret\r\nconnection: close\r\n\r\n"
        );
        let answer = raw(&gateway, &request).await;
        assert!(answer.starts_with("HTTP/1.1 405"), "{line}: {answer}");
        assert!(
            answer.contains("allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"),
            "{answer}"
        );
        assert!(answer.contains("evenkeel_bad_method") && !answer.contains("secret"), "{answer}");
    }
    assert!(seen.all().is_empty());
}

#[tokio::test]
async fn a_protocol_that_an_upstream_switches_to_is_never_passed_on() {
    let seen = RecordingUpstream::default();
    let switching = || {
        let head = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        head.header("upgrade", "h2c").header("connection", "upgrade").body(Body::empty()).unwrap()
    };
    let gateway = gateway_for(&seen.answering(switching).await).await;
    for path in ["/v1/chat/completions", "/v1/other"] {
        let request = client().post(gateway.at(path)).header("upgrade", "h2c");
        let answer = request.header("connection", "upgrade").body(CHAT).send().await.unwrap();
        assert_eq!(answer.status(), 502, "{path}");
        assert!(!answer.headers().contains_key("upgrade"), "{path}");
    }
    assert!(seen.all().iter().all(|(parts, _)| !parts.headers.contains_key("upgrade")));
}

#[tokio::test]
async fn heads_that_are_too_large_or_contradict_themselves_are_refused_by_name() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(failing).await).await;
    let long = "x".repeat(1024 * 1024);
    let many = "a: b\r\n".repeat(200);
    for (status, request) in [
        ("414", format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", &long[..70_000])),
        ("431", format!("GET / HTTP/1.1\r\nhost: x\r\na: {long}\r\n\r\n")),
        ("431", format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n")),
        (
            "400",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".into(),
        ),
        ("400", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1, 2\r\n\r\nab".into()),
        ("400", "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n".into()),
    ] {
        let answer = raw(&gateway, &request).await;
        let head = &request[..60.min(request.len())];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
    }
    assert!(seen.all().is_empty());
}

#[tokio::test]
async fn a_request_that_comes_back_is_refused_whichever_target_it_was_sent_to() {
    let seen = RecordingUpstream::default();
    let url = seen.answering(failing).await;
    let elsewhere = RecordingUpstream::default();
    let other = elsewhere.answering(failing).await;
    let target = format!(
        "[[target]]\nname = \"other\"\nbase_url = \"{other}\"\nmodel = \"m2\"\nkey_env = \"A_KEY\"\n"
    );
    let gateway = gateway_with(&format!("{target}{QUICK}"), &["--upstream", &url]).await;
    let chat =
        |via: &str| client().post(gateway.at("/v1/chat/completions")).header("via", via).body(CHAT);
    chat("1.1 cdn").send().await.unwrap();
    let sent = |upstream: &RecordingUpstream| {
        let (parts, _) = upstream.all().pop().unwrap();
        let values =
            parts.headers.get_all("via").iter().map(|via| via.to_str().unwrap().to_owned());
        values.collect::<Vec<_>>()
    };
    let [cdn, own] = sent(&seen).try_into().unwrap();
    assert_eq!(cdn, "1.1 cdn");
    assert_eq!(sent(&elsewhere).last(), Some(&own));
    let before = seen.all().len();
    let answer = chat(&own).send().await.unwrap();
    assert_eq!(answer.status(), 508);
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(body["error"]["code"], "evenkeel_loop");
    assert_eq!(seen.all().len(), before);
}

#[test]
fn a_gateway_that_is_its_own_upstream_does_not_start() {
    let own = setup(&["--listen", "127.0.0.1:18081", "--upstream", "http://localhost:18081"], None);
    let line = own.unwrap_err();
    assert!(line.contains("http://localhost:18081/ is the gateway itself"), "{line}");
    assert!(
        setup(&["--listen", "127.0.0.1:18081", "--upstream", "http://localhost:18082"], None)
            .is_ok()
    );
}
