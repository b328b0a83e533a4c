//! Peers that send little, read nothing, or are many.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use bytes::Bytes;
use evenkeel_testkit::{Provider, Reply, Server};
use futures_util::{StreamExt, future::join_all, stream};
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{
    super::server::Ended,
    support::{LONG, TestGateway, client, gateway_with, soon, upstream},
};

async fn gateway(server: &Server, toml: &str) -> TestGateway {
    gateway_with(toml, &["--upstream", &server.url()]).await
}

async fn open(gateway: &TestGateway, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// All that arrives on a connection until it is closed, and how long that takes.
async fn rest(stream: &mut TcpStream) -> (String, Duration) {
    let (begun, mut bytes) = (Instant::now(), Vec::new());
    // A reset is an end as well.
    let _ = timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("it is closed");
    (String::from_utf8_lossy(&bytes).into_owned(), begun.elapsed())
}

/// An answer that never ends, as the upstream sees it.
struct Endless(Arc<AtomicUsize>);

impl Endless {
    fn begin(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Relaxed);
        Self(open.clone())
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// An upstream whose answers never end, and the number of those that are open.
async fn endless() -> (String, Arc<AtomicUsize>) {
    let open = Arc::new(AtomicUsize::new(0));
    let answers = open.clone();
    let router = Router::new().fallback(async move || {
        let answer = Endless::begin(&answers);
        let part = Bytes::from(vec![b'x'; 16 * 1024]);
        Body::from_stream(stream::repeat(part).map(move |part| {
            let _ = &answer;
            Ok::<_, Infallible>(part)
        }))
    });
    (upstream(router).await, open)
}

#[tokio::test]
async fn sockets_with_one_byte_silence_neither_health_nor_calls() {
    let server = Server::start(Provider::new("primary")).await.unwrap();
    let gateway = gateway(&server, "[limits]\nconnections = 4\n").await;
    let idle = join_all((0..60).map(|_| open(&gateway, "G"))).await;
    let begun = Instant::now();
    gateway.health().await;
    assert_eq!(gateway.chat("m", false).send().await.unwrap().status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(10), "long before their time is over");
    drop(idle);
}

#[tokio::test]
async fn an_idle_connection_gives_its_place_to_a_new_one() {
    let server = Server::start(Provider::new("primary")).await.unwrap();
    for toml in ["[limits]\nconnections = 1\n", "[edges]\nconnections_per_peer = 1\n"] {
        let gateway = gateway(&server, toml).await;
        let mut kept = open(&gateway, "GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n").await;
        assert!(kept.read(&mut [0; 1024]).await.unwrap() > 0);
        assert_eq!(gateway.chat("m", false).send().await.unwrap().status(), 200, "{toml}");
        rest(&mut kept).await;
    }
}

#[tokio::test]
async fn while_all_places_are_in_calls_health_is_answered_and_others_get_an_error_of_their_dialect()
{
    let server = Server::start(Provider::new("primary").always(Reply::hang())).await.unwrap();
    for toml in ["[limits]\nconnections = 2\n", "[edges]\nconnections_per_peer = 2\n"] {
        let gateway = gateway(&server, toml).await;
        let before = server.provider().count();
        let calls: Vec<_> = (0..2).map(|_| tokio::spawn(gateway.chat("m", false).send())).collect();
        soon(|| server.provider().count() == before + 2).await;
        gateway.health().await;
        let call = || client().post(gateway.at("/v1/messages")).body("{}").send();
        let refused = call().await.unwrap();
        assert_eq!(refused.status(), 503, "{toml}");
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.headers()["connection"], "close");
        let text = refused.text().await.unwrap();
        let error: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&error["type"], &error["error"]["type"]),
            (&"error".into(), &"overloaded_error".into())
        );
        assert!(text.contains("limits.connections"), "{text}");
        assert_eq!(server.provider().count(), before + 2);

        // A call that ends makes room.
        calls[0].abort();
        let mut status = 503;
        let until = Instant::now() + LONG;
        while status == 503 && Instant::now() < until {
            status = match timeout(Duration::from_millis(200), call()).await {
                Ok(answer) => answer.unwrap().status().as_u16(),
                // It is at the upstream, which hangs.
                Err(_) => 0,
            };
        }
        assert_eq!(status, 0, "{toml}");
        calls[1].abort();
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_ends_with_its_call() {
    let (url, open_answers) = endless().await;
    let gateway = gateway_with("[edges]\nwrite_timeout = 0.3\n", &["--upstream", &url]).await;
    let unread = open(&gateway, "GET /v1/files/f/content HTTP/1.1\r\nhost: h\r\n\r\n").await;
    unread.readable().await.unwrap();
    assert_eq!(open_answers.load(Relaxed), 1);
    soon(|| open_answers.load(Relaxed) == 0).await;
}

#[tokio::test]
async fn a_slow_reader_that_goes_on_reading_is_served() {
    let (url, _) = endless().await;
    let gateway = gateway_with("[edges]\nwrite_timeout = 0.5\n", &["--upstream", &url]).await;
    let mut slow = open(&gateway, "GET /v1/files/f/content HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let mut part = vec![0; 512 * 1024];
    for _ in 0..20 {
        timeout(LONG, slow.read_exact(&mut part)).await.unwrap().unwrap();
        sleep(Duration::from_millis(80)).await;
    }
}

#[tokio::test]
async fn a_head_that_dribbles_ends_and_a_kept_connection_may_be_idle_for_longer() {
    let server = Server::start(Provider::new("primary")).await.unwrap();
    let gateway = gateway(&server, "[edges]\nhead_timeout = 0.4\nidle_timeout = 1.5\n").await;
    let mut dribbles = open(&gateway, "GET /healthz HTTP/1.1\r\n").await;
    let (mut reads, mut writes) = dribbles.split();
    let dribble = async {
        while writes.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let closed = async {
        let _ = reads.read(&mut [0]).await;
    };
    let begun = Instant::now();
    timeout(LONG, async {
        tokio::select! { () = dribble => {} () = closed => {} }
    })
    .await
    .unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(350));

    let mut kept = open(&gateway, "GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n").await;
    assert!(kept.read(&mut [0; 1024]).await.unwrap() > 0);
    let (rest, idle) = rest(&mut kept).await;
    assert_eq!(rest, "");
    assert!(idle >= Duration::from_millis(1400), "{idle:?}");
}

#[tokio::test]
async fn a_body_that_stands_still_is_an_error_of_the_caller_and_not_of_the_upstream() {
    let server = Server::start(Provider::new("primary")).await.unwrap();
    let gateway = gateway(&server, "[edges]\nread_timeout = 0.3\n").await;
    for (path, framing, part) in [
        ("/v1/chat/completions", "content-length: 100", "{"),
        ("/v1/files", "transfer-encoding: chunked", "5\r\nhello\r\n"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\n{framing}\r\n\r\n{part}");
        let mut stands = open(&gateway, &head).await;
        let (answer, _) = rest(&mut stands).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("evenkeel_slow_body"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    let health = gateway.health().await;
    for route in health["routes"].as_array().unwrap() {
        assert_eq!((&route["state"], &route["failures_in_a_row"]), (&"closed".into(), &0.into()));
    }
}

#[tokio::test]
async fn an_upload_that_the_upstream_takes_slowly_is_not_the_caller_s_fault() {
    let router = Router::new().fallback(async |request: Request<Body>| {
        let mut body = request.into_body();
        sleep(Duration::from_millis(1200)).await;
        let mut size = 0;
        while let Some(Ok(frame)) = body.frame().await {
            size += frame.data_ref().map_or(0, Bytes::len);
        }
        size.to_string()
    });
    let url = upstream(router).await;
    let gateway = gateway_with("[edges]\nread_timeout = 0.3\n", &["--upstream", &url]).await;
    let whole = vec![b'x'; 20 * 1024 * 1024];
    let answer = client().post(gateway.at("/v1/files")).body(whole).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), (20 * 1024 * 1024).to_string());
}

#[tokio::test]
async fn half_heads_and_half_bodies_do_not_hold_the_drain() {
    let server = Server::start(Provider::new("primary")).await.unwrap();
    let gateway = gateway(&server, "[limits]\ndrain = 3600\n").await;
    let body = "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{";
    let held = [
        open(&gateway, "").await,
        open(&gateway, "GET /healthz HTTP/1.1\r\nho").await,
        open(&gateway, body).await,
    ];
    // They are accepted in their order.
    gateway.health().await;
    gateway.stop.send(()).await.unwrap();
    let ended = timeout(Duration::from_secs(15), gateway.running).await;
    assert_eq!(ended.expect("long before the hour").unwrap(), Ended { cut: 0 });
    drop(held);
}
