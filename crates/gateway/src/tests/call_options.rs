//! The `evenkeel-` headers of a request: settings for that request alone.

use std::time::Duration;

use evenkeel_testkit::{Fault, Provider, Reply, WORDS};
use tokio::time::Instant;

use super::{
    failures::seen,
    support::{
        Models, QUICK, RecordingUpstream, client, gateway_for, gateway_of_equals, gateway_with,
    },
};

/// Calls with that affinity key, in that spelling, go to one of two equal targets.
#[tokio::test]
async fn affinity_and_its_older_spelling_are_the_same_key() {
    let models = Models::default();
    let gateway = gateway_of_equals(&models).await;
    for n in 0..12 {
        let name = ["evenkeel-affinity", "evenkeel-sticky"][n % 2];
        assert_eq!(seen(gateway.chat("any", true).header(name, "talk-7")).await.0, 200);
    }
    let both = [models.of("m1").count(), models.of("m2").count()];
    assert!(both.contains(&12), "{both:?}");
}

#[tokio::test]
async fn a_tenant_keeps_stored_answers_apart_and_never_joins_those_of_two_keys() {
    let models = Models::default();
    let toml = format!("[cache]\nserve_fresh_for = 60\n{QUICK}");
    let gateway = gateway_with(&toml, &["--upstream", &models.serve().await]).await;
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    let ask = async |key: &str, tenant: Option<&str>| {
        let call = client().post(gateway.at("/v1/chat/completions")).bearer_auth(key).body(body);
        let call = tenant.into_iter().fold(call, |it, name| it.header("evenkeel-tenant", name));
        assert_eq!(seen(call).await.3, WORDS);
        models.of("m").count()
    };
    assert_eq!(ask("one", Some("a")).await, 1);
    assert_eq!(ask("one", Some("a")).await, 1, "the stored answer");
    assert_eq!(ask("one", Some("b")).await, 2, "another tenant");
    assert_eq!(ask("one", None).await, 3, "no tenant");
    assert_eq!(ask("two", Some("a")).await, 4, "another key that names the same tenant");
    assert_eq!(ask("two", Some("a")).await, 4);
}

#[tokio::test]
async fn a_deadline_and_models_of_one_request_hold_at_a_slow_model() {
    let slow = Reply::answer().head_after(Duration::from_secs(3));
    let models = Models::default().always("m", slow.clone()).always("spare", slow);
    let gateway = gateway_for(&models.serve().await).await;
    let begun = Instant::now();
    let call = gateway.chat("m", false).header("evenkeel-deadline-ms", "300");
    let (status, fallback, ..) = seen(call.header("evenkeel-fallbacks", "spare")).await;
    assert_eq!((status, fallback.as_str()), (504, "gateway"));
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    models.of("spare").set(Reply::answer());
    let call = gateway.chat("m", false).header("evenkeel-deadline-ms", "900");
    let (status, fallback, ..) = seen(call.header("evenkeel-fallbacks", "spare")).await;
    assert_eq!((status, fallback.as_str()), (200, "spare"));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_stream_that_breaks_goes_on_where_its_request_asks_for_it() {
    let cut = Reply::answer().with(Fault::Cut { words: 40 });
    let models = Models::default().with("m", Provider::new("m").always(cut));
    let toml = "[[target]]\nname = \"goes-on\"\nmodel = \"n\"\nprefill = \"message\"\n";
    let up = models.serve().await;
    let gateway = gateway_with(&format!("{toml}{QUICK}"), &["--upstream", &up]).await;
    let (.., said) = seen(gateway.chat("m", true)).await;
    assert!(said.len() < WORDS.len() && models.of("n").count() == 0, "{said}");
    let call = gateway.chat("m", true).header("evenkeel-mid-stream-failure", "continue");
    let (.., said) = seen(call).await;
    assert!(said.len() >= WORDS.len() && models.of("n").count() == 1, "{said}");
}

#[tokio::test]
async fn a_request_at_an_unusual_path_is_read_in_the_dialect_that_it_names() {
    let error = r#"{"error":{"message":"down","type":"server_error","code":"server_error"}}"#;
    let failed = move || {
        let answer = http::Response::builder().header("content-type", "application/json");
        answer.body(error.into()).unwrap()
    };
    let upstream = RecordingUpstream::default();
    let gateway = gateway_for(&upstream.answering(failed).await).await;
    let ask = async |path: &str, dialect: Option<&str>| {
        let call = client().post(gateway.at(path)).body(r#"{"model":"m","messages":[]}"#);
        let call = dialect.into_iter().fold(call, |it, name| it.header("evenkeel-dialect", name));
        call.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask("/custom/complete", None).await, 200, "an error in it is not known");
    assert_eq!(ask("/custom/complete", Some("openai-chat")).await, 503);
    assert_eq!(ask("/v1/embeddings", Some("openai-chat")).await, 200, "that is no chat");
    assert!(upstream.all().iter().all(|(parts, _)| {
        parts.headers.keys().all(|name| !name.as_str().starts_with("evenkeel-"))
    }));
}

#[tokio::test]
async fn an_error_is_in_the_dialect_that_a_request_names() {
    let gateway = gateway_for("http://127.0.0.1:1").await;
    let call = client().post(gateway.at("/custom")).body(r#"{"model":"m","messages":[]}"#);
    let answer = call.header("evenkeel-dialect", "anthropic").send().await.unwrap();
    let error: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(error["type"], "error", "{error}");
}
