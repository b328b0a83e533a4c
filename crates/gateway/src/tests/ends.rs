//! Clients that go away, and the shutdown of the gateway.

use std::time::Duration;

use evenkeel_testkit::{Fault, Provider, Reply, Server};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::super::server::{Ended, GatewayServer};
use super::support::{LONG, client, gateway_for, gateway_with, setup, soon};

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
    let setup = setup(&["--listen", &address, "--upstream", &server.url()], None).unwrap();
    let line = GatewayServer::bind(setup).await.unwrap_err();
    assert!(line.contains(&address) && line.lines().count() == 1, "{line}");
}
