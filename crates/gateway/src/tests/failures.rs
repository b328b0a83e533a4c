//! The failures of a provider through the gateway, with models of one upstream as the fallbacks.

use std::time::Duration;

use evenkeel_testkit::{Fault, Provider, Reply, WORDS};
use tokio::time::Instant;

use super::support::{Models, QUICK, TestGateway, gateway_for, gateway_with};

/// The parts of a response that a caller sees: status, fallback, attempts, its words.
pub(crate) async fn seen(request: reqwest::RequestBuilder) -> (u16, String, u32, String) {
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (status, fallback, attempts) =
        (response.status().as_u16(), header("evenkeel-served-by"), header("evenkeel-attempts"));
    (status, fallback, attempts.parse().unwrap(), words(&response.text().await.unwrap()))
}

fn words(text: &str) -> String {
    let parts = text.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let values = parts.filter_map(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    let piece = |value: serde_json::Value| {
        let choice = value["choices"].get(0)?;
        Some(choice.get("delta").or(choice.get("message"))?["content"].as_str()?.to_owned())
    };
    values.filter_map(piece).collect()
}

fn with_fallbacks(gateway: &TestGateway, model: &str, stream: bool) -> reqwest::RequestBuilder {
    gateway.chat(model, stream).header("evenkeel-fallbacks", "spare, never-asked")
}

/// A first model that fails in this way once, or always; and the number of attempts until the answer is whole.
async fn whole(
    models: Models,
    model: &str,
    served_by: &str,
    attempts: std::ops::RangeInclusive<u64>,
) {
    let gateway = gateway_for(&models.serve().await).await;
    for stream in [true, false] {
        let before = models.of(model).count();
        let (status, from, sent, said) = seen(with_fallbacks(&gateway, model, stream)).await;
        assert_eq!(
            (status, from.as_str(), said.as_str()),
            (200, served_by, WORDS),
            "{model} {stream}"
        );
        let asked = models.of(model).count() - before;
        assert!(attempts.contains(&asked), "{model} {stream}: {asked}");
        assert_eq!(u64::from(sent), asked + u64::from(served_by == "spare"));
        if served_by != "spare" {
            // It failed once; the next call would get a healthy model.
            break;
        }
    }
    assert_eq!(models.of("never-asked").count(), 0);
}

#[tokio::test]
async fn a_hint_is_waited_for() {
    let wait = Duration::from_millis(700);
    let models = Models::default().once("m", Reply::rate_limited(Some(wait)));
    let start = Instant::now();
    whole(models, "m", "primary", 2..=2).await;
    assert!(start.elapsed() >= wait);
}

#[tokio::test]
async fn what_stays_down_is_answered_by_the_next_model() {
    whole(Models::default().always("m", Reply::rate_limited(None)), "m", "spare", 1..=3).await;
    whole(Models::default().always("m", Reply::status(503)), "m", "spare", 1..=3).await;
}

#[tokio::test]
async fn what_fails_once_is_asked_again() {
    whole(Models::default().once("m", Reply::status(500)), "m", "primary", 2..=2).await;
    whole(Models::default().once("m", Reply::reset()), "m", "primary", 2..=2).await;
}

#[tokio::test]
async fn silence_is_asked_once_unless_it_may_be_that_of_a_kept_connection() {
    // The second call uses a connection that has answered before: after silence its request is sent again on a new one, once a
    // minute.
    whole(Models::default().always("m", Reply::hang()), "m", "spare", 1..=2).await;
    let late = Reply::answer().first_content_after(Duration::from_secs(20));
    whole(Models::default().always("m", late), "m", "spare", 1..=2).await;
}

#[tokio::test]
async fn a_stream_without_done_is_whole_at_once() {
    whole(
        Models::default().always("m", Reply::answer().with(Fault::NoDone)),
        "m",
        "primary",
        1..=1,
    )
    .await;
}

#[tokio::test]
async fn what_is_too_large_goes_to_the_next_model_after_one_attempt() {
    whole(Models::default().always("m", Reply::context_length_exceeded()), "m", "spare", 1..=1)
        .await;
}

#[tokio::test]
async fn a_filters_refusal_is_the_answer() {
    let models = Models::default().always("m", Reply::content_policy_violation());
    let gateway = gateway_for(&models.serve().await).await;
    let response = with_fallbacks(&gateway, "m", true).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["evenkeel-served-by"]),
        (400, &"primary".parse().unwrap())
    );
    assert!(response.text().await.unwrap().contains("content_policy_violation"));
    assert_eq!((models.of("m").count(), models.of("spare").count()), (1, 0));
}

#[tokio::test]
async fn the_caller_sees_the_model_that_answered() {
    let models = Models::default().always("m", Reply::status(503));
    let gateway = gateway_for(&models.serve().await).await;
    let text = with_fallbacks(&gateway, "m", false).send().await.unwrap().text().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["model"], "spare");
    assert!(answer["usage"]["total_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn breakers_are_shared_by_all_requests_also_those_with_fallbacks_of_their_own() {
    let models = Models::default().always("m", Reply::status(503));
    let gateway = gateway_for(&models.serve().await).await;
    for _ in 0..12 {
        let (status, fallback, ..) = seen(with_fallbacks(&gateway, "m", true)).await;
        assert_eq!((status, fallback.as_str()), (200, "spare"));
    }
    assert!(models.of("m").count() <= 6, "{}", models.of("m").count());
    assert_eq!(models.of("spare").count(), 12);
}

#[tokio::test]
async fn a_requests_models_stand_between_the_first_fallback_and_the_others_and_have_the_first_ones_key()
 {
    let wants =
        |name: &str, reply: Reply| Provider::new(name).requires("key-of-the-target").always(reply);
    let models = Models::default()
        .with("m", wants("m", Reply::status(500)))
        .with("own", wants("own", Reply::status(500)))
        .with("gateway_with", wants("gateway_with", Reply::answer()));
    let url = models.serve().await;
    let toml = format!(
        "[[target]]\nname = \"first\"\nbase_url = \"{url}/v1\"\nkey_env = \"FIRST_KEY\"\n[[target]]\nname = \"second\"\nmodel = \"gateway_with\"\nbase_url = \"{url}\"\nkey_env = \"SECOND_KEY\"\n{QUICK}"
    );
    let gateway = gateway_with(&toml, &[]).await;
    let request = gateway.chat("m", false).header("evenkeel-fallbacks", "own");
    let (status, fallback, attempts, said) = seen(request).await;
    assert_eq!((status, fallback.as_str(), said.as_str()), (200, "second", WORDS));
    assert!(models.of("own").count() >= 1, "asked before the gateway_with one");
    assert_eq!(u64::from(attempts), models.of("m").count() + models.of("own").count() + 1);
    // Without overrides, the first target answers under its name.
    let (_, fallback, ..) = seen(gateway.chat("gateway_with", true)).await;
    assert_eq!(fallback, "first");
}

#[tokio::test]
async fn a_canned_reply_ends_a_configured_fallbacks() {
    let models = Models::default().always("m", Reply::status(503));
    let toml = format!("[[canned]]\nname = \"sorry\"\ntext = \"Back soon.\"\n{QUICK}");
    let gateway = gateway_with(&toml, &["--upstream", &models.serve().await]).await;
    for stream in [true, false] {
        let (status, fallback, _, said) = seen(gateway.chat("m", stream)).await;
        assert_eq!((status, fallback.as_str(), said.as_str()), (200, "sorry", "Back soon."));
    }
}
