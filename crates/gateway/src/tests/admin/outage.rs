//! An outage as the operator sees it, and what the buttons do.

use serde_json::{Value, json};

use super::{
    super::support::{Models, QUICK, client, gateway_with},
    Watched, json as json_of, refused,
};
use evenkeel_testkit::Reply;

fn sum(numbers: &Value) -> u64 {
    let numbers = numbers.as_array().unwrap();
    assert_eq!(numbers.len(), 90);
    numbers.iter().map(|number| number.as_u64().unwrap()).sum()
}

#[tokio::test]
async fn an_outage_is_seen_with_its_reason_and_its_times() {
    let watched = Watched::new().await;
    assert_eq!(watched.call().await, "openai");
    let healthy = watched.snapshot().await;
    assert_eq!(healthy["answering"]["name"], "openai");
    assert_eq!(healthy["answering"]["degraded"], false);
    assert_eq!(
        (&healthy["routes"][0]["state"], &healthy["routes"][0]["reason"]),
        (&json!("closed"), &json!(""))
    );
    watched.outage().await;
    let calls = watched.provider.count();
    assert_eq!(watched.call().await, "sorry");
    assert_eq!(watched.provider.count(), calls, "the open route sends nothing");

    let seen = watched.snapshot().await;
    let now = seen["now"].as_u64().unwrap();
    let route = &seen["routes"][0];
    assert_eq!(route["state"], "open", "{route}");
    assert_eq!(route["reason"], "its attempts failed in a row");
    assert_eq!((&route["model"], &route["credential"]), (&json!("gpt-4o"), &json!("openai")));
    let (since, back) = (route["since"].as_u64().unwrap(), route["back_at"].as_u64().unwrap());
    assert!(since <= now + 1_000 && now < since + 20_000, "{route}");
    assert!(now <= back + 1_000 && back < now + 10_000, "{route}");

    assert_eq!(
        seen["order"],
        json!([{"name": "openai", "kind": "target"}, {"name": "sorry", "kind": "canned"}])
    );
    assert_eq!(
        (&seen["answering"]["name"], &seen["answering"]["degraded"]),
        (&json!("sorry"), &json!(true))
    );
    let series = &seen["series"];
    assert!(sum(&series["errors_upstream"]) >= 2, "{series}");
    assert_eq!(sum(&series["errors_callers"]), 0);
    assert_eq!(sum(&series["calls"]), sum(&series["outcomes"]["success"]));
    assert_eq!(sum(&series["degraded"]) + 1, sum(&series["calls"]));
    assert_eq!(sum(&series["attempts"]), watched.provider.count());
    let (last, first) = (&seen["calls"][0], seen["calls"].as_array().unwrap().last().unwrap());
    assert_eq!((&last["served_by"], &last["degraded"]), (&json!("sorry"), &json!("canned")));
    assert_eq!(last["attempts"][0]["outcome"], "refused");
    assert_eq!((&first["served_by"], &first["degraded"]), (&json!("openai"), &Value::Null));
    assert_eq!((&first["status"], &first["dialect"]), (&json!(200), &json!("openai-chat")));
    let failed = &seen["calls"][1]["attempts"][0];
    assert_eq!((&failed["target"], &failed["status"]), (&json!("openai"), &json!(503)), "{failed}");
    assert_eq!(failed["outcome"], "unavailable");
}

#[tokio::test]
async fn nothing_of_a_request_or_a_credential_is_shown() {
    let watched = Watched::new().await;
    watched.call().await;
    for path in ["/api/snapshot", "/metrics", "/healthz"] {
        let text = watched.get(path).send().await.unwrap().text().await.unwrap();
        for secret in ["key-of-the-caller", "key-of-the-target", "\"hi\"", evenkeel_testkit::WORDS]
        {
            assert!(!text.contains(secret), "{path}: {secret}");
        }
    }
}

#[tokio::test]
async fn the_buttons_force_and_reset_a_route() {
    let watched = Watched::new().await;
    watched.outage().await;
    let id = watched.snapshot().await["routes"][0]["id"].as_str().unwrap().to_owned();
    let press = async |button: &str| {
        let response = watched.post(&format!("/api/routes/{id}/{button}")).send().await.unwrap();
        assert_eq!(response.status(), 204);
        let route = watched.snapshot().await["routes"][0].clone();
        assert_eq!(route["id"], *id);
        (route["state"].as_str().unwrap().to_owned(), route["reason"].as_str().unwrap().to_owned())
    };
    let expected = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    assert_eq!(press("force-closed").await, expected("forced-closed", "the operator forced it"));
    let calls = watched.provider.count();
    watched.call().await;
    assert_eq!(watched.provider.count(), calls + 1, "it lets calls through");

    watched.provider.set(Reply::answer());
    assert_eq!(press("force-open").await, expected("forced-open", "the operator forced it"));
    assert_eq!(watched.call().await, "sorry");
    assert_eq!(press("reset").await, expected("closed", "the operator reset it"));
    assert_eq!(watched.call().await, "openai");
}

#[tokio::test]
async fn an_unknown_route_or_action_is_an_error() {
    let watched = Watched::new().await;
    watched.call().await;
    let id = watched.snapshot().await["routes"][0]["id"].as_str().unwrap().to_owned();
    for path in ["/api/routes/r1/reset".into(), format!("/api/routes/{id}/open")] {
        let (status, words) = refused(watched.post(&path)).await;
        assert!(status == 404 && words.contains("allowed"), "{path}: {status} {words}");
    }
}

#[tokio::test]
async fn only_the_last_hundred_calls_and_the_routes_of_most_interest_are_shown() {
    let upstream = Models::default().serve().await;
    let many = gateway_with(QUICK, &["--upstream", &upstream, "--admin", "127.0.0.1:0"]).await;
    for nth in 0..130 {
        let response = many.chat(&format!("m{nth}"), false).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
    }
    let health = many.health().await;
    assert_eq!(
        (health["routes"].as_array().unwrap().len(), &health["routes_total"]),
        (100, &json!(130))
    );
    assert_eq!(health["states"], json!({"closed": 130}));
    let url = format!("{}/api/snapshot", many.admin.as_ref().unwrap());
    let seen = json_of(client().get(url).send().await.unwrap()).await;
    assert_eq!(
        (seen["routes"].as_array().unwrap().len(), &seen["routes_total"]),
        (100, &json!(130))
    );
    let calls = seen["calls"].as_array().unwrap();
    assert_eq!(
        (calls.len(), &calls[0]["model"], &calls[99]["model"]),
        (100, &json!("m129"), &json!("m30"))
    );
}
