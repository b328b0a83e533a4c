//! Connections that are kept: to an upstream that closes them, and from a client that uses them again.

use evenkeel_testkit::{IdleFault, Provider, Reply, Server};
use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::support::{LONG, TestGateway, gateway_for, soon};

async fn gateway() -> (Server, TestGateway) {
    let slow = Reply::answer().head_after(std::time::Duration::from_millis(150));
    let server = Server::start(Provider::new("upstream").always(slow)).await.unwrap();
    let gateway = gateway_for(&server.url()).await;
    (server, gateway)
}

/// Makes `calls` calls at once and returns the number that the first attempt answered.
async fn answered(gateway: &TestGateway, calls: usize) -> usize {
    let call = || async {
        let response = gateway.chat("m", false).send().await.unwrap();
        let attempts = response.headers()["evenkeel-attempts"] == "1";
        usize::from(response.status() == 200 && attempts && response.bytes().await.is_ok())
    };
    join_all((0..calls).map(|_| call())).await.into_iter().sum()
}

async fn assert_closed(gateway: &TestGateway) {
    let health = gateway.health().await;
    let routes = health["routes"].as_array().unwrap();
    assert!(routes.len() == 1 && routes[0]["state"] == "closed", "{health}");
}

#[tokio::test]
async fn node_replaced_all_eight_calls_are_answered_with_2_8_and_64_kept_connections() {
    for n in [2, 8, 64] {
        let (server, gateway) = gateway().await;
        assert_eq!(answered(&gateway, n).await, n);
        soon(|| server.idle_connections() == n).await;
        server.kill_idle(IdleFault::Reset);
        assert_eq!(answered(&gateway, 8).await, 8, "{n} kept");
        assert_closed(&gateway).await;
    }
}

#[tokio::test]
async fn silence_on_kept_connections_is_not_the_upstream_s() {
    let (server, gateway) = gateway().await;
    assert_eq!(answered(&gateway, 8).await, 8);
    soon(|| server.idle_connections() == 8).await;
    server.kill_idle(IdleFault::Silence);
    for n in 0..8 {
        let response = gateway.chat("m", false).send().await.unwrap();
        let attempts = if n == 0 { "2" } else { "1" };
        assert_eq!(
            (response.status().as_u16(), &response.headers()["evenkeel-attempts"]),
            (200, &attempts.parse().unwrap())
        );
    }
    assert_closed(&gateway).await;
}

#[tokio::test]
async fn an_upstream_that_closes_each_connection_at_its_second_request_answers_100_of_100() {
    let (server, gateway) = gateway().await;
    server.provider().set(Reply::answer());
    server.close_at_request(2);
    for n in 0..100 {
        assert_eq!(answered(&gateway, 1).await, 1, "{n}");
    }
    assert_closed(&gateway).await;
}

/// Sends the head of a request, and its body once the answer has arrived; then another request on the same connection.
/// Returns both statuses; `None` if the connection was closed.
async fn answered_early(gateway: &TestGateway, head: &str, body: &[u8]) -> (u16, Option<u16>) {
    let mut stream =
        TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let first = answer(&mut stream).await.unwrap();
    stream.write_all(body).await.unwrap();
    let next = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n").await;
    (first, if next.is_ok() { answer(&mut stream).await } else { None })
}

/// The status of one answer, whose body is read to its end; `None` if the connection was closed.
async fn answer(stream: &mut TcpStream) -> Option<u16> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return head.split(' ').nth(1).and_then(|status| status.parse().ok());
            }
        }
        let mut some = [0; 4096];
        match timeout(LONG, stream.read(&mut some)).await.expect("an answer in time") {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&some[..read]),
        }
    }
}

#[tokio::test]
async fn an_answer_before_the_body_of_its_request_keeps_the_connection() {
    let (_server, gateway) = gateway().await;
    let body = vec![b'x'; 200_000];
    let chunk = [b"30d40\r\n", body.as_slice(), b"\r\n0\r\n\r\n"].concat();
    for (request, headers, status) in [
        ("POST /v1/chat/completions", "evenkeel-commit: soon\r\n", 400),
        ("POST /v1/files", "evenkeel-deadline-ms: soon\r\n", 400),
        ("POST /healthz", "", 200),
        ("POST *", "", 400),
        ("POST /v1/realtime", "upgrade: websocket\r\nconnection: upgrade\r\n", 426),
    ] {
        for (framing, body) in
            [("content-length: 200000", &body), ("transfer-encoding: chunked", &chunk)]
        {
            let head = format!("{request} HTTP/1.1\r\nhost: h\r\n{headers}{framing}\r\n\r\n");
            let answers = answered_early(&gateway, &head, body).await;
            assert_eq!(answers, (status, Some(200)), "{head}");
        }
    }
}

#[tokio::test]
async fn an_answer_to_a_client_that_has_held_its_body_back_says_that_the_connection_is_closed() {
    let (_server, gateway) = gateway().await;
    let answer = async |length: usize, header: &str| {
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\n{header}content-length: {length}\r\n\r\n"
        );
        let mut stream =
            TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut whole = String::new();
        timeout(LONG, stream.read_to_string(&mut whole)).await.expect("it is closed").unwrap();
        whole
    };
    for (length, header, status) in
        [(10, "evenkeel-commit: soon\r\n", "400"), (1_000_000_000, "", "413")]
    {
        let whole = answer(length, header).await;
        assert!(whole.starts_with(&format!("HTTP/1.1 {status}")), "{whole}");
        assert!(whole.contains("connection: close\r\n"), "{whole}");
    }
}
