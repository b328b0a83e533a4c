//! Large requests: what they may cost, and what waits for them.

use std::time::Duration;

use evenkeel_testkit::{Provider, Reply, Server};
use http::Response;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::support::{LONG, Models, RecordingUpstream, TestGateway, client, gateway_with, soon};

const KIB: usize = 1024;

fn body(model: &str, size: usize) -> String {
    let text = "x".repeat(size);
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"{text}"}}]}}"#)
}

fn post(gateway: &TestGateway, body: String) -> reqwest::RequestBuilder {
    client().post(gateway.at("/v1/chat/completions")).body(body)
}

#[tokio::test]
async fn a_large_call_that_fails_everywhere_is_sent_again_at_most_four_times() {
    let seen = RecordingUpstream::default();
    let url = seen.answering(|| Response::builder().status(500).body("{}".into()).unwrap()).await;
    let targets: String = (0..8)
        .map(|n| format!("[[target]]\nname = \"t{n}\"\nbase_url = \"{url}/v1\"\nmodel = \"f{n}\"\nkey_env = \"A_KEY\"\n"))
        .collect();
    let toml =
        format!("{targets}[retry]\nbase = \"1ms\"\nmax_backoff = \"2ms\"\nresend_bytes = 1\n");
    let gateway = gateway_with(&toml, &["--upstream", &url]).await;
    for (size, most) in [(100 * KIB, 5), (KIB, usize::MAX)] {
        let before = seen.all().len();
        let answer = post(&gateway, body("m", size)).send().await.unwrap();
        assert_eq!(answer.status(), 500);
        let sent = seen.all().len() - before;
        assert!(sent <= most, "{sent}");
        // One retry at most, and then three of the fallbacks: none is skipped for the retries of another.
        assert!(sent >= 5, "{sent}");
    }
    let models: Vec<String> = seen
        .all()
        .iter()
        .take(5)
        .map(|(_, body)| {
            let json: Value = serde_json::from_slice(body).unwrap();
            json["model"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(models, ["m", "m", "f0", "f1", "f2"]);
}

#[tokio::test]
async fn bodies_wait_for_each_other_within_their_time_and_small_ones_for_none() {
    let models = Models::default().always("slow", Reply::hang());
    let toml = format!("[limits]\nbody = {}\nbody_budget = 1\n", 200 * KIB);
    let gateway = gateway_with(&toml, &["--upstream", &models.serve().await]).await;
    let held = tokio::spawn(post(&gateway, body("slow", 150 * KIB)).send());
    soon(|| models.of("slow").in_flight() == 1).await;

    let waiting = post(&gateway, body("m", 100 * KIB)).header("evenkeel-deadline-ms", "200");
    let refused = waiting.send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(refused.text().await.unwrap().contains("evenkeel_no_memory"));
    let chunked =
        reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(body(
            "m",
            100 * KIB,
        ))]));
    let chunked = client().post(gateway.at("/v1/chat/completions")).body(chunked);
    let chunked = chunked.header("evenkeel-deadline-ms", "200").send().await.unwrap();
    assert_eq!(chunked.status(), 503);
    assert_eq!(post(&gateway, body("m", 10 * KIB)).send().await.unwrap().status(), 200);

    let waits = tokio::spawn(post(&gateway, body("m", 100 * KIB)).send());
    sleep(Duration::from_millis(50)).await;
    held.abort();
    let answer = timeout(LONG, waits).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_is_the_same_at_its_upstream() {
    let seen = RecordingUpstream::default();
    let fine = || {
        Response::builder().header("content-type", "application/json").body("{}".into()).unwrap()
    };
    let gateway = gateway_with("", &["--upstream", &seen.answering(fine).await]).await;
    let sent = body("m", 3 * 1024 * KIB);
    post(&gateway, sent.clone()).send().await.unwrap();
    assert!(seen.all().iter().all(|(_, got)| *got == sent));
}

#[tokio::test]
async fn a_caller_can_shorten_its_time_and_not_extend_it() {
    let server = Server::start(Provider::new("primary").always(Reply::hang())).await.unwrap();
    let gateway = gateway_with("[limits]\ndeadline = 1\n", &["--upstream", &server.url()]).await;
    for wish in ["60000", "200"] {
        let call = gateway.chat("m", true).header("evenkeel-deadline-ms", wish);
        let answer = timeout(LONG, call.send()).await.expect("the operator's second").unwrap();
        assert_eq!(answer.status(), 504, "{wish}");
    }
}
