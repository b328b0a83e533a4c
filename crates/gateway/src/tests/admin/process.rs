//! Readiness, the drain, and connections of its own.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::{Watched, json};
use evenkeel_testkit::Reply;

#[tokio::test]
async fn a_drain_ends_the_process_and_is_seen_until_then() {
    let mut watched = Watched::new().await;
    for url in [watched.at("/readyz"), watched.gateway.at("/readyz")] {
        assert_eq!(super::client().get(url).send().await.unwrap().status(), 200);
    }
    watched.provider.set(Reply::answer().head_after(Duration::from_millis(1500)));
    let call = tokio::spawn(watched.gateway.chat("gpt-4o", false).send());
    while watched.provider.in_flight() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The second request does not end the process at once, as a second signal would.
    for _ in 0..2 {
        assert_eq!(watched.post("/api/drain").send().await.unwrap().status(), 204);
    }
    let mut draining = false;
    while !draining {
        draining = watched.snapshot().await["draining"] == true;
    }
    let ready = watched.get("/readyz").send().await.unwrap();
    assert_eq!((ready.status().as_u16(), &json(ready).await["phase"]), (503, &"draining".into()));
    assert_eq!(call.await.unwrap().unwrap().status(), 200, "the call in flight is answered");
    timeout(Duration::from_secs(20), &mut watched.gateway.running).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_outage_of_the_providers_is_no_reason_to_be_taken_out_of_rotation() {
    let watched = Watched::new().await;
    watched.outage().await;
    for url in [watched.at("/readyz"), watched.gateway.at("/readyz")] {
        let ready = super::client().get(url).send().await.unwrap();
        assert_eq!((ready.status().as_u16(), &json(ready).await["ready"]), (200, &true.into()));
    }
}

#[tokio::test]
async fn it_answers_while_the_listener_of_the_calls_is_full() {
    let watched = Watched::with_connections(4).await;
    let address = watched.gateway.url.strip_prefix("http://").unwrap().to_owned();
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"G").await.unwrap();
        held.push(stream);
    }
    let full = "evenkeel_gateway_connections 4";
    let mut page = String::new();
    while !page.lines().any(|line| line == full) {
        let answer = timeout(Duration::from_secs(5), watched.get("/metrics").send()).await;
        page = answer.unwrap().unwrap().text().await.unwrap();
    }
    watched.snapshot().await;
    drop(held);
    assert_eq!(watched.call().await, "openai");
}
