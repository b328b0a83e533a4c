//! The rehearsal.

use serde_json::json;

use super::{
    super::support::{QUICK, client, gateway_with},
    Watched, json as json_of, refused,
};
use evenkeel_testkit::Reply;

#[tokio::test]
async fn a_rehearsal_asks_every_target_once_and_changes_no_route() {
    let watched = Watched::new().await;
    watched.provider.set(Reply::status(401));
    let response = watched.post("/api/rehearse").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let report = json_of(response).await;
    assert_eq!(report["ok"], false, "{report}");
    let target = &report["targets"][0];
    assert_eq!((&target["name"], &target["model"]), (&json!("openai"), &json!("gpt-4o")));
    assert_eq!((&target["ok"], &target["outcome"]), (&json!(false), &json!("rejected")));
    assert!(target["words"].as_str().unwrap().contains("check its key"), "{target}");
    assert_eq!(watched.provider.count(), 1);
    assert_eq!(watched.snapshot().await["routes"], json!([]));
    // It costs money.
    let (status, words) = refused(watched.post("/api/rehearse")).await;
    assert!(status == 429 && words.contains("30 s"), "{words}");
    assert_eq!(watched.provider.count(), 1);
}

#[tokio::test]
async fn an_upstream_with_the_keys_of_its_callers_cannot_be_rehearsed() {
    let arguments = ["--upstream", "http://127.0.0.1:1", "--admin", "127.0.0.1:0"];
    let gateway = gateway_with(QUICK, &arguments).await;
    let url = format!("{}/api/rehearse", gateway.admin.as_ref().unwrap());
    let (status, words) = refused(client().post(url).header("x-evenkeel-admin", "1")).await;
    assert!(status == 409 && words.contains("keys of its callers"), "{words}");
}
