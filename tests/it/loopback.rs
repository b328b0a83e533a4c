//! The server over real sockets and the real clock, with an HTTP client and with a raw one.

use std::time::Duration;

use bytes::Bytes;
use evenkeel_testkit::{
    Capacity, Fault, IdleFault, Incident, Provider, Reply, Scenario, Server, WORDS,
    provider::AttemptState,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tower::service_fn;

const MOMENT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(5);

async fn server(provider: &Provider) -> Server {
    Server::start(provider.clone()).await.unwrap()
}

async fn serving(reply: Reply) -> (Server, Provider) {
    let provider = Provider::new("p").always(reply);
    (server(&provider).await, provider)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().retry(reqwest::retry::never()).no_proxy().build().unwrap()
}

const STREAM: &str = r#"{"model":"m","stream":true}"#;
const JSON: &str = r#"{"model":"m"}"#;

async fn post(server: &Server, body: &'static str) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/v1/chat/completions", server.url());
    client().post(url).body(body).send().await
}

/// A raw connection with a request sent on it.
async fn raw(server: &Server, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    send(&mut stream, body).await;
    stream
}

async fn send(stream: &mut TcpStream, body: &str) {
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await.unwrap();
}

/// Everything until the connection closes, and its result.
async fn rest(stream: &mut TcpStream) -> (String, std::io::Result<usize>) {
    let mut bytes = Vec::new();
    let end = timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("it closes");
    (String::from_utf8(bytes).unwrap(), end)
}

/// One whole answer on a connection that stays open.
async fn whole(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut bytes = [0; 4096];
        let n = timeout(LONG, stream.read(&mut bytes)).await.unwrap().unwrap();
        assert!(n > 0, "closed after {text}");
        text.push_str(std::str::from_utf8(&bytes[..n]).unwrap());
    }
    text
}

/// Waits until the condition holds: a server notices a client's end a little later.
async fn soon(so: impl Fn() -> bool) {
    let until = Instant::now() + LONG;
    while !so() {
        assert!(Instant::now() < until, "it never became so");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn an_answer_comes_whole_as_json_and_as_a_stream() {
    let (server, provider) = serving(Reply::answer()).await;
    let response = post(&server, JSON).await.unwrap();
    assert_eq!(response.headers()["x-served-by"], "p");
    let length = response.content_length().unwrap();
    let text = response.text().await.unwrap();
    assert!(text.contains(WORDS) && text.len() as u64 == length);

    let response = post(&server, STREAM).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["transfer-encoding"], "chunked");
    let text = response.text().await.unwrap();
    assert!(text.matches("data: ").count() == 63 && text.ends_with("[DONE]\n\n"));
    assert_eq!((provider.count(), provider.cancelled(), provider.in_flight()), (2, 0, 0));
    assert_eq!(provider.attempts()[1].model.as_deref(), Some("m"));
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let (server, provider) = serving(Reply::answer()).await;
    let mut stream = raw(&server, STREAM).await;
    whole(&mut stream, "0\r\n\r\n").await;
    // Two requests at once are answered one after the other.
    send(&mut stream, JSON).await;
    send(&mut stream, STREAM).await;
    let text = whole(&mut stream, "0\r\n\r\n").await;
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(provider.count(), 3);
}

#[tokio::test]
async fn a_client_that_wants_to_close_is_closed() {
    let (server, _) = serving(Reply::answer()).await;
    for (version, close) in [("1.1", "connection: close\r\n"), ("1.0", "")] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let body = STREAM;
        let head = format!(
            "POST /v1/chat/completions HTTP/{version}\r\n{close}content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).await.unwrap();
        let (text, end) = rest(&mut stream).await;
        assert!(end.is_ok() && text.contains("[DONE]") && text.contains("connection: close"));
        assert_eq!(text.contains("transfer-encoding"), version == "1.1", "{text}");
    }
}

#[tokio::test]
async fn a_status_comes_with_its_body_and_headers() {
    let (server, _) = serving(Reply::rate_limited(Some(Duration::from_millis(1500)))).await;
    let response = post(&server, STREAM).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
        (429, "1.5")
    );
    assert!(response.text().await.unwrap().contains("rate_limit_exceeded"));
    let (server, _) = serving(Reply::status(529)).await;
    assert_eq!(post(&server, JSON).await.unwrap().status(), 529);
}

#[tokio::test]
async fn a_reply_may_lie_about_its_length() {
    let reply = Reply::raw(200, "application/json", "{}").header("content-length", "10");
    let (server, _) = serving(reply).await;
    let mut stream = raw(&server, JSON).await;
    let text = whole(&mut stream, "{}").await;
    assert_eq!(text.matches("content-length").count(), 1);
    assert!(text.contains("content-length: 10\r\n"));
}

#[tokio::test]
async fn a_cut_stream_ends_without_its_last_chunk() {
    let (server, provider) = serving(Reply::answer().with(Fault::Cut { words: 40 })).await;
    let (text, end) = rest(&mut raw(&server, STREAM).await).await;
    assert!(end.is_ok(), "closed in order, not reset: {end:?}");
    assert_eq!(text.matches(r#""content":"#).count(), 1 + 40);
    assert!(!text.contains("\r\n0\r\n") && !text.contains("[DONE]"));
    assert!(post(&server, STREAM).await.unwrap().text().await.is_err());
    assert!(post(&server, JSON).await.unwrap().text().await.is_err());
    assert_eq!(
        provider
            .attempts()
            .iter()
            .filter(|attempt| attempt.state == AttemptState::Completed)
            .count(),
        3
    );
}

#[tokio::test]
async fn silence_lasts_until_the_connection_closes() {
    let fault = Fault::Silence { words: 20, lasts: 4 * MOMENT };
    let (server, _) = serving(Reply::answer().with(fault)).await;
    let mut stream = raw(&server, STREAM).await;
    let mut text = String::new();
    while text.matches(r#""content":"#).count() < 21 {
        let mut bytes = [0; 4096];
        let n = stream.read(&mut bytes).await.unwrap();
        text.push_str(std::str::from_utf8(&bytes[..n]).unwrap());
    }
    let mut byte = [0; 1];
    assert!(timeout(MOMENT, stream.read(&mut byte)).await.is_err(), "silence");
    assert_eq!(timeout(LONG, stream.read(&mut byte)).await.unwrap().unwrap(), 0, "then closed");
}

#[tokio::test]
async fn what_hangs_is_open_and_silent_and_notices_that_its_client_left() {
    let provider =
        Provider::new("p").replies([Reply::hang(), Reply::answer().with(Fault::stall(3))]);
    let server = server(&provider).await;
    for n in 1..=2 {
        let mut stream = raw(&server, STREAM).await;
        if n == 2 {
            whole(&mut stream, "\n\n\r\n").await;
        }
        let drained = async { while stream.read(&mut [0; 4096]).await.unwrap() > 0 {} };
        assert!(timeout(MOMENT, drained).await.is_err(), "neither an answer nor an end");
        assert_eq!(provider.in_flight(), 1);
        drop(stream);
        soon(|| provider.in_flight() == 0).await;
        assert_eq!(provider.cancelled(), n);
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_slow_stream_is_noticed() {
    let (server, provider) = serving(Reply::answer().between_events(MOMENT)).await;
    let mut response = post(&server, STREAM).await.unwrap();
    response.chunk().await.unwrap().unwrap();
    assert_eq!(provider.in_flight(), 1);
    drop(response);
    soon(|| provider.cancelled() == 1).await;
}

#[tokio::test]
async fn a_connection_is_reset_before_any_byte() {
    let (server, provider) = serving(Reply::reset()).await;
    let (text, end) = rest(&mut raw(&server, STREAM).await).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("", std::io::ErrorKind::ConnectionReset));
    let error = post(&server, STREAM).await.unwrap_err();
    assert!(error.is_request() && !error.is_connect(), "{error:?}");
    assert_eq!((provider.count(), provider.cancelled()), (2, 0));
}

#[tokio::test]
async fn a_connection_is_closed_before_any_byte() {
    let (server, provider) = serving(Reply::answer().with(Fault::Closed)).await;
    let (text, end) = rest(&mut raw(&server, STREAM).await).await;
    assert_eq!((text.as_str(), end.unwrap()), ("", 0));
    assert!(!post(&server, STREAM).await.unwrap_err().is_connect());
    assert_eq!((provider.count(), provider.cancelled()), (2, 0));
}

#[tokio::test]
async fn a_connection_is_reset_within_the_body() {
    let (server, _) = serving(Reply::answer().with(Fault::ResetAfter { bytes: 100 })).await;
    let mut stream = raw(&server, JSON).await;
    let (_, end) = rest(&mut stream).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn the_listener_really_closes_and_opens_again_on_the_same_port() {
    let (server, provider) = serving(Reply::answer()).await;
    let mut kept = raw(&server, JSON).await;
    soon(|| provider.count() == 1).await;
    for _ in 0..3 {
        provider.set(Reply::refused());
        server.settle().await;
        let refused = TcpStream::connect(server.address()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert!(post(&server, JSON).await.unwrap_err().is_connect());
        provider.set(Reply::answer());
        server.settle().await;
        assert!(post(&server, JSON).await.is_ok());
    }
    assert!(rest(&mut kept).await.1.is_ok(), "an idle connection does not outlive the listener");
    assert_eq!(provider.count(), 4, "a refused connection reaches nobody");
}

#[tokio::test]
async fn a_planned_refusal_stands_until_it_is_noted() {
    let provider = Provider::new("p").replies([Reply::status(500), Reply::refused()]);
    let server = server(&provider).await;
    assert_eq!(post(&server, JSON).await.unwrap().status(), 500);
    server.settle().await;
    assert!(post(&server, JSON).await.unwrap_err().is_connect());
    assert!(post(&server, JSON).await.unwrap_err().is_connect());
    provider.note_refused(&http::HeaderMap::new());
    server.settle().await;
    assert_eq!(post(&server, JSON).await.unwrap().status(), 200);
    assert_eq!(provider.count(), 3);
}

#[tokio::test]
async fn a_listener_opens_when_the_time_has_come() {
    let provider = Provider::new("p").during(Duration::ZERO..2 * MOMENT, Reply::refused());
    let server = server(&provider).await;
    provider.start_clock();
    server.settle().await;
    assert!(TcpStream::connect(server.address()).await.is_err());
    sleep(3 * MOMENT).await;
    server.settle().await;
    assert!(TcpStream::connect(server.address()).await.is_ok());
}

#[tokio::test]
async fn a_body_drips_byte_by_byte() {
    let fault = Fault::Drip { bytes: 1, every: Duration::from_millis(2) };
    let (server, _) =
        serving(Reply::raw(200, "text/plain", "twenty bytes of body").with(fault)).await;
    let start = Instant::now();
    let mut response = post(&server, JSON).await.unwrap();
    let mut chunks = 0;
    while response.chunk().await.unwrap().is_some() {
        chunks += 1;
    }
    // A timer never fires early, so this cannot fail on a slow machine.
    assert!(start.elapsed() >= 20 * Duration::from_millis(2) && chunks > 1);
}

#[tokio::test]
async fn comments_flood_a_stream() {
    let fault = Fault::Comments { every: Duration::from_millis(1), count: 50 };
    let (server, _) = serving(Reply::answer().with(fault)).await;
    let text = post(&server, STREAM).await.unwrap().text().await.unwrap();
    assert_eq!(text.matches(": keep-alive\n\n").count(), 50);
    assert!(text.ends_with("[DONE]\n\n"));
}

#[tokio::test]
async fn empty_pages_and_any_pieces_come_as_they_are() {
    let provider = Provider::new("p").replies([
        Reply::empty(),
        Reply::html(),
        Reply::pieces(
            "text/event-stream",
            [Bytes::from("data: o"), Bytes::new(), Bytes::from("dd")],
        ),
    ]);
    let server = server(&provider).await;
    let response = post(&server, STREAM).await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().len()), (200, 0));
    let response = post(&server, STREAM).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(post(&server, STREAM).await.unwrap().text().await.unwrap(), "data: odd");
}

#[tokio::test]
async fn what_exceeds_the_capacity_is_turned_away() {
    let provider = Provider::new("p")
        .always(Reply::answer().head_after(LONG))
        .capacity(Capacity::Concurrent(1), Reply::status(503));
    let server = server(&provider).await;
    let first = raw(&server, STREAM).await;
    soon(|| provider.in_flight() == 1).await;
    assert_eq!(post(&server, STREAM).await.unwrap().status(), 503);
    drop(first);
}

#[tokio::test]
async fn attempts_are_counted_with_their_times() {
    let (server, provider) = serving(Reply::status(503)).await;
    let before = Instant::now();
    post(&server, STREAM).await.unwrap();
    let between = Instant::now();
    post(&server, JSON).await.unwrap();
    let attempts = provider.attempts();
    assert!(before <= attempts[0].at && attempts[0].at <= between && between <= attempts[1].at);
    assert!(attempts[0].stream && !attempts[1].stream);
}

#[tokio::test]
async fn a_bad_or_boundless_request_is_refused_and_reaches_nobody() {
    let (server, provider) = serving(Reply::answer()).await;
    let cases = [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("POST / HTTP/1.1\r\ncontent-length: 999999999\r\n\r\n".to_owned(), "413"),
        (format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(100_000)), "431"),
    ];
    for (request, status) in cases {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let (text, _) = rest(&mut stream).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
    }
    assert_eq!(provider.count(), 0);
}

#[tokio::test]
async fn a_large_and_a_chunked_request_are_read_whole() {
    let (server, provider) = serving(Reply::answer()).await;
    let messages = vec![serde_json::json!({"role": "user", "content": "x".repeat(10_000)}); 50];
    let body = serde_json::json!({"model": "m", "messages": messages}).to_string();
    let url = server.url();
    client().post(&url).body(body.clone()).send().await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    whole(&mut stream, "100 Continue\r\n\r\n").await;
    stream.write_all(chunk.as_bytes()).await.unwrap();
    whole(&mut stream, "}").await;
    let messages: Vec<_> = provider.attempts().iter().map(|attempt| attempt.messages).collect();
    assert_eq!(messages, [50, 50]);
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_everything() {
    let (server, _) = serving(Reply::hang()).await;
    let address = server.address();
    let mut open = raw(&server, STREAM).await;
    sleep(MOMENT).await;
    drop(server);
    let end = timeout(LONG, open.read(&mut [0; 1])).await.expect("it closes");
    assert!(matches!(end, Ok(0) | Err(_)));
    let until = Instant::now() + LONG;
    while TcpStream::connect(address).await.is_ok() {
        assert!(Instant::now() < until, "it still listens");
        sleep(Duration::from_millis(2)).await;
    }
}

/// A connection that was answered and is idle.
async fn kept(server: &Server) -> TcpStream {
    let before = server.idle_connections();
    let mut stream = raw(server, STREAM).await;
    whole(&mut stream, "0\r\n\r\n").await;
    soon(|| server.idle_connections() == before + 1).await;
    stream
}

#[tokio::test]
async fn kept_connections_are_closed_at_once() {
    let (server, provider) = serving(Reply::answer()).await;
    let mut streams = [kept(&server).await, kept(&server).await];
    server.kill_idle(IdleFault::Close);
    for stream in &mut streams {
        assert_eq!(timeout(LONG, stream.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
    }
    soon(|| server.idle_connections() == 0).await;
    kept(&server).await;
    assert_eq!(provider.count(), 3);
}

#[tokio::test]
async fn kept_connections_are_reset_by_their_next_request() {
    let (server, provider) = serving(Reply::answer()).await;
    let mut stream = kept(&server).await;
    server.kill_idle(IdleFault::Reset);
    assert!(timeout(MOMENT, stream.read(&mut [0; 1])).await.is_err(), "nothing tells");
    send(&mut stream, JSON).await;
    let (text, end) = rest(&mut stream).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("", std::io::ErrorKind::ConnectionReset));
    assert_eq!(provider.count(), 1);
}

#[tokio::test]
async fn kept_connections_fall_silent_and_new_ones_do_not() {
    let (server, provider) = serving(Reply::answer()).await;
    let mut stream = kept(&server).await;
    server.kill_idle(IdleFault::Silence);
    send(&mut stream, JSON).await;
    assert!(timeout(4 * MOMENT, stream.read(&mut [0; 1])).await.is_err(), "neither answer nor end");
    kept(&server).await;
    assert_eq!(provider.count(), 2);
}

#[tokio::test]
async fn a_connection_is_closed_at_its_nth_request() {
    let (server, provider) = serving(Reply::answer()).await;
    server.close_at_request(3);
    let mut stream = kept(&server).await;
    send(&mut stream, STREAM).await;
    whole(&mut stream, "0\r\n\r\n").await;
    send(&mut stream, STREAM).await;
    assert_eq!(rest(&mut stream).await.0, "");
    assert_eq!(provider.count(), 2);
}

#[tokio::test]
async fn a_connection_is_closed_after_its_answer_without_a_word() {
    let (server, _) = serving(Reply::answer()).await;
    server.close_after_answers(true);
    let (text, end) = rest(&mut raw(&server, STREAM).await).await;
    assert!(end.is_ok() && text.contains("[DONE]") && !text.contains("connection: close"));
}

#[tokio::test]
async fn a_scenario_plays_over_sockets() {
    let incident = Incident::parse(
        r#"{"name": "short", "phases_min": [
            {"from": 0, "to": 0.2, "provider": "healthy"},
            {"from": 0.2, "to": 0.5, "provider": "down"},
            {"from": 0.5, "to": 0.8, "provider": "healthy"}],
        "states": {"down": {"mix": [
            {"share": 0.5, "is": "refused"}, {"share": 0.5, "is": "status", "status": 503}]}}}"#,
    );
    // 48 s of the incident in about two real seconds.
    let scenario = Scenario::new(incident.unwrap()).seed(4).rate(300.0).scale(0.04);
    let harness = scenario.harness();
    let server = server(harness.primary()).await;
    let harness = harness.base_url(server.url());
    let (client, primary) = (client(), harness.primary().clone());
    let plain = service_fn(move |request: evenkeel::Request| {
        let (client, primary) = (client.clone(), primary.clone());
        async move {
            let headers = request.headers().clone();
            let result = client.execute(request.try_into()?).await;
            if result.as_ref().is_err_and(reqwest::Error::is_connect) {
                primary.note_refused(&headers);
            }
            result.map(http::Response::<reqwest::Body>::from)
        }
    });
    let metrics = scenario.play("plain", &harness, plain).await;
    // The clock is real, so the calls of each phase depend on the speed of the machine.
    assert_eq!(metrics.primary + metrics.error, metrics.calls, "{metrics:?}");
    assert!(metrics.primary > 0 && metrics.attempts_primary > 0, "{metrics:?}");
    assert!(metrics.attempts_primary <= metrics.calls, "{metrics:?}");
    assert!(metrics.reasons.contains_key("status 503"), "{metrics:?}");
    assert!(metrics.reasons.keys().any(|why| why.contains("error sending")), "{metrics:?}");
}
