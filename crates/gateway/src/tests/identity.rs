//! The identity of callers: the configuration of it, and the headers that reach another origin.

use axum::body::Body;
use evenkeel_testkit::{Reply, WORDS};
use http::Response;

use super::{
    config::refused,
    failures::seen,
    support::{Models, QUICK, RecordingUpstream, TestGateway, client, gateway_with},
};

const UP: &str = "upstream = \"http://127.0.0.1:1\"\n[identity]\n";

#[test]
fn a_name_that_is_wrong_is_refused_with_line_and_field() {
    let cases = [
        ("payer = [\"a b\"]", "3: identity.payer[0]: is no name of a header; allowed is one such"),
        ("user = [\"\"]", "3: identity.user[0]: is no name of a header"),
        ("payer_query = [\" \"]", "3: identity.payer_query[0]: is blank"),
        ("forward = [\"x-a\", \"Authorization\"]", "3: identity.forward: is \"authorization\""),
        ("forward_query = [\"API_KEY\"]", "3: identity.forward_query: is \"api_key\""),
        ("user = [\"x-a\"]\nignore = [\"x-a\"]", "4: identity.ignore: is \"x-a\""),
        ("ignore = [\"x-a\"]\nnamed_by = \"x-a\"", "3: identity.ignore: is \"x-a\""),
        ("ignore = [\"cookie\"]\nforward = [\"cookie\"]", "4: identity.forward: is \"cookie\""),
        ("header = \"x-a\"", "3: identity.header: is an unknown field; allowed is one of payer"),
        ("named_by = 5", "3: identity.named_by: is a number; allowed is a text"),
    ];
    for (toml, expected) in cases {
        let line = refused(&format!("{UP}{toml}"));
        assert!(line.starts_with(expected), "{toml:?}: {line}");
    }
}

/// A gateway in front of that upstream, with these names for its callers.
async fn known(models: &Models, toml: &str) -> TestGateway {
    let url = models.serve().await;
    gateway_with(&format!("{toml}\n{QUICK}"), &["--upstream", &url]).await
}

#[tokio::test]
async fn a_header_that_is_named_keeps_stored_answers_apart_and_one_that_is_ignored_does_not() {
    let models = Models::default();
    let identity = "[identity]\nuser = [\"X-Seat\"]\nignore = [\"x-session-id\"]\n";
    let gateway = known(&models, &format!("[cache]\nserve_fresh_for = 60\n{identity}")).await;
    let headers = [("x-seat", "1"), ("x-seat", "2"), ("x-forwarded-user", "3"), ("x-seat", "1")];
    for ((header, value), sent) in headers.into_iter().zip([1, 2, 3, 3]) {
        for session in ["a", "b"] {
            let call =
                gateway.chat("m", false).header(header, value).header("x-session-id", session);
            assert_eq!(seen(call).await.3, WORDS);
            assert_eq!(models.of("m").count(), sent, "{header}: {value}");
        }
    }
}

#[tokio::test]
async fn callers_with_a_token_for_each_call_are_known_by_the_name_of_their_team() {
    let gateway = known(&Models::default(), "[identity]\nnamed_by = \"x-team\"").await;
    for n in 0..20 {
        let team = if n % 2 == 0 { "team-one" } else { "team-two" };
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        let call = client().post(gateway.at("/v1/chat/completions")).body(body);
        let call = call.bearer_auth(format!("opaque-{n}")).header("x-team", team);
        assert_eq!(seen(call).await.0, 200);
    }
    let health = gateway.health().await;
    let routes = health["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 2, "{health}");
    let text = health.to_string();
    assert!(!text.contains("team-") && !text.contains("opaque"), "{text}");
}

#[tokio::test]
async fn another_origin_is_sent_what_is_known_and_what_is_named_and_nothing_else() {
    let other = RecordingUpstream::default();
    let url = other.answering(|| Response::new(Body::from("{}"))).await;
    let models = Models::default().always("m", Reply::status(503));
    let target =
        format!("[[target]]\nname = \"other\"\nbase_url = \"{url}/v1\"\nkey_env = \"A_KEY\"\n");
    let identity = "[identity]\nforward = [\"x-experiment\"]\nforward_query = [\"region\"]\n";
    let gateway = known(&models, &format!("{target}{identity}")).await;
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    let path = "/v1/chat/completions?k%65y=of-the-caller&code=of-the-caller&region=eu";
    let mut call = client().post(gateway.at(path)).bearer_auth("of-the-caller").body(body);
    for header in ["cookie", "x-forwarded-user", "dpop", "referer", "x-anything"] {
        call = call.header(header, "of-the-caller");
    }
    let call = call.header("x-experiment", "goes").header("traceparent", "goes-too");
    call.send().await.unwrap();
    let (parts, _) = other.all().first().expect("it was asked").clone();
    let text = format!("{} {:?}", parts.uri, parts.headers);
    assert!(!text.contains("of-the-caller"), "{text}");
    assert_eq!(parts.uri.query(), Some("region=eu"));
    assert_eq!(parts.headers["x-experiment"], "goes");
    assert_eq!(parts.headers["traceparent"], "goes-too");
    assert_eq!(parts.headers["authorization"], "Bearer key-of-the-target");
}

#[tokio::test]
async fn models_of_a_mebibyte_make_a_page_of_health_of_a_line_each() {
    const MODELS: usize = 20;
    let url = super::support::upstream(axum::Router::new().fallback(async || "{}")).await;
    let gateway = gateway_with(QUICK, &["--upstream", &url]).await;
    let long = "m".repeat(1 << 20);
    for n in 0..MODELS {
        let model = format!(r"{n}\n\u001b[31m{long}");
        gateway.chat(&model, false).send().await.unwrap().bytes().await.unwrap();
    }
    let page = client().get(gateway.at("/healthz")).send().await.unwrap().bytes().await.unwrap();
    assert!(page.len() < MODELS * 1024, "{}", page.len());
    let health: serde_json::Value = serde_json::from_slice(&page).unwrap();
    let routes = health["routes"].as_array().unwrap();
    assert_eq!(routes.len(), MODELS);
    let models = routes.iter().map(|route| route["model"].as_str().unwrap());
    models.for_each(|model| assert!(model.len() <= 145 && !model.contains(char::is_control)));
}
