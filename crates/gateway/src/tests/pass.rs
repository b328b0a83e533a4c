//! What is passed on unchanged.

use std::time::Duration;

use axum::{Router, body::Body};
use bytes::Bytes;
use evenkeel_testkit::{Provider, Reply, Server, WORDS};
use futures_util::StreamExt;
use http::{Request, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use super::support::{LONG, RecordingUpstream, TestGateway, client, gateway_for, upstream};

/// Sends a raw request on its own connection, and returns everything that it receives.
pub(crate) async fn raw(gateway: &TestGateway, request: &str) -> String {
    let mut stream = TcpStream::connect(gateway.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(LONG, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

fn fine() -> Response<Body> {
    let answer =
        Response::builder().status(201).header("x-request-id", "r1").header("connection", "x-hop");
    let answer =
        answer.header("x-hop", "1").header("keep-alive", "timeout=5").header("set-cookie", "a=b");
    answer.header("content-type", "text/x-any").body(Body::from("any bytes")).unwrap()
}

#[tokio::test]
async fn path_and_query_stay_byte_for_byte_whatever_the_method() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(fine).await).await;
    let targets = [
        "/",
        "/v1/models",
        "/v1/models/",
        "/v1/models?",
        "/a%2Fb/%2e%2e/c/../d/./e",
        "//two//slashes//",
        "/x?q='a'&b={c}&d=%20+%zz",
        "/v1/files?limit=2&after=a/b?c",
        "/v1/chat/completions?",
        "/%F0%9F%90%8E",
        "/a;b=c,d@e:f|g",
        "/healthz/",
        "/healthz/x",
        "/Healthz",
    ];
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"] {
        for target in targets {
            let answer = raw(
                &gateway,
                &format!(
                    "{method} {target} HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                ),
            )
            .await;
            assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{method} {target}: {answer}");
            assert_eq!(answer.ends_with("any bytes"), method != "HEAD", "{method} {target}");
            let (parts, _) = seen.all().pop().unwrap();
            assert_eq!((parts.method.as_str(), parts.uri.to_string().as_str()), (method, target));
        }
    }
    // The absolute form, for proxies, goes to the upstream too.
    raw(&gateway, "GET http://elsewhere.example/v1/x?y HTTP/1.1\r\nhost: elsewhere.example\r\nconnection: close\r\n\r\n").await;
    let (parts, _) = seen.all().pop().unwrap();
    assert_eq!(parts.uri, "/v1/x?y");
    assert!(parts.headers["host"].to_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(seen.all().len(), 8 * targets.len() + 1, "one attempt each");
}

#[tokio::test]
async fn an_old_client_is_answered_in_its_own_version_and_the_upstream_is_asked_in_ours() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(fine).await).await;
    let answer = raw(&gateway, "GET /old HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 201") && answer.ends_with("any bytes"), "{answer}");
    assert_eq!(seen.all()[0].0.version, http::Version::HTTP_11);
}

#[tokio::test]
async fn what_is_no_path_is_refused() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(fine).await).await;
    let request = "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = raw(&gateway, request).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(seen.all().is_empty());
}

#[tokio::test]
async fn headers_go_on_but_for_those_of_the_hop_and_ours() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(fine).await).await;
    let head = "POST /v1/embeddings HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer k\r\nX-Any: 1\r\nX-Any: 2\r\nConnection: close, X-Mine\r\n\
        X-Mine: 1\r\nTE: trailers\r\nUpgrade: h2c\r\nProxy-Authorization: p\r\nevenkeel-commit: complete\r\nevenkeel-x: y\r\nAccept-Encoding: gzip\r\n\
        Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let answer = raw(&gateway, head).await;
    assert!(
        answer.contains("HTTP/1.1 201 Created") && answer.contains("x-request-id: r1"),
        "{answer}"
    );
    assert!(answer.contains("set-cookie: a=b") && answer.contains("content-type: text/x-any"));
    assert!(
        answer.contains("evenkeel-served-by: primary\r\n")
            && answer.contains("evenkeel-attempts: 1\r\n")
    );
    assert!(!answer.contains("x-hop") && !answer.contains("keep-alive"), "{answer}");
    let (parts, body) = seen.all().pop().unwrap();
    assert_eq!(body, "abc");
    assert_eq!(parts.headers.get_all("x-any").iter().count(), 2);
    assert_eq!(
        (&parts.headers["authorization"], &parts.headers["accept-encoding"]),
        (&"Bearer k".parse().unwrap(), &"gzip".parse().unwrap())
    );
    for gone in [
        "x-mine",
        "te",
        "upgrade",
        "proxy-authorization",
        "expect",
        "evenkeel-commit",
        "evenkeel-x",
    ] {
        assert!(!parts.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn a_websocket_handshake_is_refused_at_once_with_the_protocol_to_use() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(fine).await).await;
    for upgrade in ["websocket", "WebSocket", "h2c, websocket"] {
        let head = format!(
            "GET /v1/responses HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade, close\r\nUpgrade: {upgrade}\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        let answer = raw(&gateway, &head).await;
        assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
        let head = answer.to_ascii_lowercase();
        assert!(head.contains("\r\nupgrade: http/1.1\r\n"), "{answer}");
        assert!(answer.contains("evenkeel_websocket"), "{answer}");
    }
    assert!(seen.all().is_empty());
}

#[tokio::test]
async fn healthy_answers_are_the_providers_byte_for_byte() {
    let provider = Provider::new("primary");
    let server = Server::start(provider.clone()).await.unwrap();
    let gateway = gateway_for(&server.url()).await;
    for path in ["/v1/chat/completions", "/v1/responses", "/v1/messages"] {
        for stream in [false, true] {
            let mut answers = Vec::new();
            for base in [&server.url(), &gateway.url] {
                let body = format!(r#"{{"model":"m","stream":{stream},"messages":[]}}"#);
                let response =
                    client().post(format!("{base}{path}")).body(body).send().await.unwrap();
                let kind = response.headers()["content-type"].clone();
                let ours = response.headers().get("evenkeel-served-by").cloned();
                answers.push((response.status(), kind, response.bytes().await.unwrap()));
                assert_eq!(ours.is_some(), base == &gateway.url);
            }
            assert_eq!(answers[0], answers[1], "{path} {stream}");
            assert!(stream || std::str::from_utf8(&answers[0].2).unwrap().contains(WORDS));
        }
    }
    assert_eq!((provider.count(), provider.cancelled()), (12, 0));
}

#[tokio::test]
async fn a_connection_is_kept_and_a_final_error_is_the_providers_own() {
    let reply =
        Reply::error(401, "invalid_request_error", "invalid_api_key").header("x-request-id", "r7");
    let server = Server::start(Provider::new("primary").always(reply)).await.unwrap();
    let gateway = gateway_for(&server.url()).await;
    let direct = client()
        .post(format!("{}/v1/chat/completions", server.url()))
        .body("{}")
        .send()
        .await
        .unwrap();
    let direct = direct.bytes().await.unwrap();
    let client = client();
    for _ in 0..3 {
        let response =
            client.post(gateway.at("/v1/chat/completions")).body("{}").send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x-request-id"]),
            (401, &"r7".parse().unwrap())
        );
        assert_eq!(
            (&response.headers()["evenkeel-served-by"], &response.headers()["evenkeel-attempts"]),
            (&"primary".parse().unwrap(), &"1".parse().unwrap())
        );
        assert_eq!(response.bytes().await.unwrap(), direct);
    }
}

#[tokio::test]
async fn an_upload_streams_up_and_its_answer_down_before_it_is_through() {
    let echo = async |request: Request<Body>| Response::new(request.into_body());
    let gateway = gateway_for(&upstream(Router::new().fallback(echo)).await).await;
    let (send, pieces) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let pieces = futures_util::stream::unfold(pieces, async |mut it| {
        it.recv().await.map(|piece| (piece, it))
    });
    send.send(Ok(Bytes::from("first"))).await.unwrap();
    let request = client()
        .post(gateway.at("/v1/audio/transcriptions"))
        .body(reqwest::Body::wrap_stream(pieces));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["evenkeel-attempts"], "1");
    let mut body = response.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "first", "before the rest was sent");
    let piece = Bytes::from(vec![b'x'; 1024 * 1024]);
    let sent = async {
        for _ in 0..40 {
            send.send(Ok(piece.clone())).await.unwrap();
        }
        drop(send);
    };
    let read = async {
        let mut length = 0;
        while let Some(piece) = body.next().await {
            length += piece.unwrap().len();
        }
        length
    };
    assert_eq!(tokio::join!(sent, read).1, 40 * 1024 * 1024, "more than is ever read whole");
}

#[tokio::test]
async fn a_slow_reader_holds_the_upstream_back() {
    let (send, mut sent) = mpsc::unbounded_channel();
    let endless = move |_: Request<Body>| {
        let send = send.clone();
        let piece = Bytes::from(vec![b'x'; 64 * 1024]);
        let pieces = futures_util::stream::repeat_with(move || {
            let _ = send.send(());
            Ok::<_, std::io::Error>(piece.clone())
        });
        async move { Response::new(Body::from_stream(pieces)) }
    };
    let gateway = gateway_for(&upstream(Router::new().fallback(endless)).await).await;
    let response = client().get(gateway.at("/v1/endless")).send().await.unwrap();
    // Until the gateway takes no more.
    while timeout(Duration::from_millis(700), sent.recv()).await.is_ok() {}
    let taken = sent.len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(sent.len(), taken, "the sockets are full, and nobody takes more");
    drop(response);
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let nothing = || Response::builder().status(204).body(Body::empty()).unwrap();
    let gateway = gateway_for(&RecordingUpstream::default().answering(nothing).await).await;
    let answer = raw(&gateway, "DELETE /v1/files/f HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 204") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(
        !answer.contains("transfer-encoding") && !answer.contains("content-length"),
        "{answer}"
    );
    let chunked = || {
        Response::new(Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("x")])))
    };
    let gateway = gateway_for(&RecordingUpstream::default().answering(chunked).await).await;
    let answer = raw(&gateway, "HEAD /v1/files/f HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("content-length"), "{answer}");
}

#[tokio::test]
async fn a_chat_asks_for_an_answer_that_can_be_read() {
    let seen = RecordingUpstream::default();
    let gateway = gateway_for(&seen.answering(|| Response::new(Body::from("{}"))).await).await;
    let request =
        client().post(gateway.at("/v1/messages")).header("accept-encoding", "gzip, br").body("{}");
    let response = request.send().await.unwrap();
    drop(response.bytes().await);
    assert_eq!(seen.all()[0].0.headers["accept-encoding"], "identity");
}
