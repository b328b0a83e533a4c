//! Connections that the gateway keeps and an upstream closes.

use evenkeel_testkit::{IdleFault, Provider, Reply, Server};
use futures_util::future::join_all;

use super::support::{TestGateway, gateway_for, soon};

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
