//! Clients that go away, and the shutdown of the gateway.

use std::time::Duration;

use evenkeel_testkit::{Fault, Provider, Reply, Server};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::super::server::{Ended, GatewayServer};
use super::support::{LONG, RecordingUpstream, client, gateway_for, gateway_with, setup, soon};

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_attempt_before_the_head_and_after_it() {
    let provider =
        Provider::new("primary").replies([Reply::hang(), Reply::answer().with(Fault::stall(3))]);
    let server = Server::start(provider.clone()).await.unwrap();
    let gateway = gateway_with("", &["--upstream", &server.url()]).await;
    let waiting = tokio::spawn(gateway.chat("m", true).send());
    soon(|| provider.in_flight() == 1).await;
    waiting.abort();
    soon(|| provider.cancelled() == 1).await;

    let mut response = gateway.chat("m", true).send().await.unwrap();
    response.chunk().await.unwrap().unwrap();
    assert_eq!(provider.in_flight(), 1);
    drop(response);
    soon(|| provider.cancelled() == 2 && provider.in_flight() == 0).await;
    assert_eq!(provider.count(), 2, "nobody asks again for one who has left");
    assert_eq!(gateway.health().await["routes"][0]["state"], "closed");
}

#[tokio::test]
async fn what_is_under_way_comes_to_its_end_and_nothing_new_is_taken() {
    let reply = Reply::answer().between_events(Duration::from_millis(10));
    let server = Server::start(Provider::new("primary").always(reply)).await.unwrap();
    let gateway = gateway_for(&server.url()).await;
    let mut response = gateway.chat("m", true).send().await.unwrap();
    response.chunk().await.unwrap().unwrap();
    gateway.stop.send(()).await.unwrap();
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let refused = async {
        while TcpStream::connect(&address).await.is_ok() {
            sleep(Duration::from_millis(5)).await
        }
    };
    timeout(LONG, refused).await.unwrap();
    assert!(response.text().await.unwrap().ends_with("[DONE]\n\n"));
    assert_eq!(timeout(LONG, gateway.running).await.unwrap().unwrap(), Ended { cut: 0 });
}

#[tokio::test]
async fn a_connection_that_is_idle_does_not_keep_it() {
    let server = Server::start(Provider::new("primary")).await.unwrap();
    let gateway = gateway_for(&server.url()).await;
    let client = client();
    client.get(gateway.at("/healthz")).send().await.unwrap().bytes().await.unwrap();
    gateway.stop.send(()).await.unwrap();
    timeout(Duration::from_secs(10), gateway.running)
        .await
        .expect("long before the 30 s of the drain")
        .unwrap();
}

#[tokio::test]
async fn the_drain_is_bounded_and_a_second_word_ends_it_at_once_and_answers_that_were_cut_are_counted()
 {
    let server = Server::start(Provider::new("primary").always(Reply::hang())).await.unwrap();
    for (drain, words) in [("0.2", 1), ("3600", 2)] {
        let toml = format!("[limits]\ndrain = {drain}\n");
        let gateway = gateway_with(&toml, &["--upstream", &server.url()]).await;
        let before = server.provider().count();
        let waiting = tokio::spawn(gateway.chat("m", true).send());
        soon(|| server.provider().count() > before).await;
        for _ in 0..words {
            gateway.stop.send(()).await.unwrap();
        }
        let ended = timeout(Duration::from_secs(10), gateway.running).await.unwrap().unwrap();
        assert_eq!(ended, Ended { cut: 1 });
        let refused = timeout(LONG, waiting).await.unwrap().unwrap().unwrap();
        let text = refused.text().await.unwrap();
        assert!(text.contains("evenkeel_shutting_down"), "{text}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_one_line() {
    let server = Server::start(Provider::new("primary")).await.unwrap();
    let address = server.address().to_string();
    let setup = setup(&["--listen", &address, "--upstream", "http://127.0.0.1:1"], None).unwrap();
    let line = GatewayServer::bind(setup).await.unwrap_err();
    assert!(line.contains(&address) && line.lines().count() == 1, "{line}");
}

/// The first event of a stream in each dialect: its path, the request and the event.
const FIRST_EVENTS: [[&str; 3]; 5] = [
    [
        "/v1/chat/completions",
        r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#,
        "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"hello\"},\"finish_reason\":null}]}\n\n",
    ],
    [
        "/v1/responses",
        r#"{"model":"m","stream":true,"input":"hi"}"#,
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":\"hello\"}\n\n",
    ],
    [
        "/v1/messages",
        r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hello\"}}\n\n",
    ],
    [
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
        "data: {\"candidates\":[{\"index\":0,\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"hello\"}]}}]}\r\n\r\n",
    ],
    [
        "/api/chat",
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#,
        "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":\"hello\"},\"done\":false}\n",
    ],
];

/// An answer whose stream says nothing after its first event.
fn stalled(event: &'static str) -> http::Response<axum::body::Body> {
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(event)]);
    let body = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    let kind = if event.starts_with('{') { "application/x-ndjson" } else { "text/event-stream" };
    let head = http::Response::builder().header("content-type", kind);
    head.body(axum::body::Body::from_stream(body)).unwrap()
}

#[tokio::test]
async fn a_stream_that_the_end_of_the_drain_cuts_ends_with_the_error_of_its_dialect() {
    for [path, body, event] in FIRST_EVENTS {
        let url = RecordingUpstream::default().answering(move || stalled(event)).await;
        let gateway = gateway_with("[limits]\ndrain = 0.2\n", &["--upstream", &url]).await;
        let call = client().post(gateway.at(path)).body(body);
        let mut response = call.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let first = response.chunk().await.unwrap().unwrap();
        assert!(first.starts_with(&event.as_bytes()[..20]), "{path}: {first:?}");
        gateway.stop.send(()).await.unwrap();
        let rest = timeout(LONG, response.text()).await.unwrap().expect("it ends as a stream does");
        assert!(rest.contains("shutting down"), "{path}: {first:?} {rest}");
        assert!(!rest.contains("[DONE]") && !rest.contains("message_stop"), "{path}: {rest}");
        timeout(LONG, gateway.running).await.unwrap().unwrap();
    }
}
