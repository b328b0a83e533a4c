//! The route that a failure counts against.

use super::*;

use crate::support::{all_closed, ms};

/// The states of all routes, by operation.
fn states(client: &Client) -> Vec<(String, CircuitState)> {
    let shown = client.breakers().list();
    shown.into_iter().map(|(route, shown)| (route.operation().to_owned(), shown.state)).collect()
}

#[tokio::test(start_paused = true)]
async fn an_expired_file_of_one_caller_opens_the_route_for_no_other() {
    let body = r#"{"error":{"code":403,"message":"You do not have permission to access the File abc or it may not exist.","status":"PERMISSION_DENIED"}}"#;
    let first = Provider::new("primary").always(json(403, body));
    let client = over(Client::builder(), [&first]);
    let path = "/v1beta/models/m:generateContent";
    let with_file =
        r#"{"contents":[{"parts":[{"fileData":{"fileUri":"https://primary/v1beta/files/abc"}}]}]}"#;
    for _ in 0..10 {
        let answer = call(&client, post(path, with_file)).await.unwrap();
        let outcome = answer.verdict.unwrap().outcome();
        assert_eq!(outcome, Outcome::Rejected { why: Rejection::Permission });
    }
    assert!(all_closed(&client) && first.count() == 10);
    first.set(json(
        200,
        r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}"#,
    ));
    assert_eq!(call(&client, post(path, "{}")).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_402_for_one_request_opens_no_route() {
    let body = r#"{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 9."}}"#;
    let first = Provider::new("primary").always(json(402, body));
    let client = over(Client::builder(), [&first]);
    for _ in 0..10 {
        assert_eq!(call(&client, chat(false)).await.unwrap().status, 402);
    }
    assert!(all_closed(&client) && first.count() == 10);
}

#[tokio::test(start_paused = true)]
async fn a_scope_missing_for_one_operation_opens_no_other_route() {
    let body = r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.responses.write.","type":"invalid_request_error","param":null,"code":null}}"#;
    let first = Provider::new("primary").always(json(401, body));
    let client = over(Client::builder(), [&first]);
    for _ in 0..5 {
        call(&client, post("/v1/responses", r#"{"model":"m","input":"hi"}"#)).await.unwrap();
    }
    first.set(Reply::answer());
    call(&client, chat(false)).await.unwrap().is_whole();
    assert!(all_closed(&client), "{:?}", states(&client));
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_list_of_jobs_opens_no_other_route() {
    let first = Provider::new("primary").always(Reply::status(403));
    let client = over(Client::builder(), [&first]);
    for _ in 0..5 {
        call(&client, request_to("GET", "/v1/fine_tuning/jobs", "")).await.unwrap();
    }
    first.set(json(200, "{}"));
    for path in ["/v1/models", "/v1/files", "/v1/audio/voices", "/v1/fine_tuning/jobs"] {
        assert_eq!(call(&client, request_to("GET", path, "")).await.unwrap().status, 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_path_that_fails_opens_no_other_route() {
    let first = Provider::new("primary").always(Reply::status(500));
    let client = over(Client::builder(), [&first]);
    for _ in 0..40 {
        let _ = call(&client, request_to("GET", "/v1/odd/thing", "")).await;
    }
    first.set(json(200, "{}"));
    for path in ["/v1/other/thing", "/v1/models"] {
        assert_eq!(call(&client, request_to("GET", path, "")).await.unwrap().status, 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn failing_embeddings_open_no_route_of_chats_and_share_their_limits() {
    let first = Provider::new("primary").always(Reply::status(500));
    let client = over(Client::builder(), [&first]);
    for _ in 0..40 {
        let _ = call(&client, post("/v1/embeddings", r#"{"model":"m","input":"hi"}"#)).await;
    }
    let open = states(&client);
    assert_eq!(open, [("embeddings".to_owned(), CircuitState::Open)]);
    first.set(Reply::answer());
    call(&client, chat(false)).await.unwrap().is_whole();
    let routes: Vec<Route> = client.breakers().list().into_iter().map(|(route, _)| route).collect();
    let [a, b] = &routes[..] else { panic!("{routes:?}") };
    assert_eq!(a.without_operation(), b.without_operation());
    assert_eq!(client.limits().list().len(), 1);
    assert!(routes.iter().any(|route| route.to_string().ends_with(" (embeddings)")));
}

#[tokio::test(start_paused = true)]
async fn a_misspelt_model_ejects_none_of_four_equal_keys() {
    let unknown = Reply::error(404, "invalid_request_error", "model_not_found");
    let houses = Houses::new(unknown);
    let client = houses.over(keys(key));
    for _ in 0..10 {
        assert_eq!(call(&client, chat(false)).await.unwrap().status, 404);
    }
    assert_eq!(houses.log.count("target_ejected"), 0);
    assert!(all_closed(&client));
    // The model is the target's own, so the failure counts against that target.
    let client = houses.over(keys(|n| key(n).model("typo")));
    call(&client, chat(false)).await.unwrap();
    assert!(houses.log.count("target_ejected") > 0);
}

#[tokio::test(start_paused = true)]
async fn one_of_equal_targets_without_embeddings_may_still_chat() {
    let houses = Houses::new(Reply::status(500));
    let client = houses.over(keys(key));
    for _ in 0..20 {
        let _ = call(&client, post("/v1/embeddings", r#"{"model":"m","input":"hi"}"#)).await;
    }
    assert!(houses.log.count("target_ejected") > 0);
    houses.first.set(Reply::answer());
    houses.log.clear();
    for _ in 0..40 {
        call(&client, chat(false)).await.unwrap().is_whole();
    }
    assert_eq!(asked(&houses.log).len(), 4);
}

/// A refusal by evenkeel would be less useful than the provider's own rejection, and the provider may accept the next call.
#[tokio::test(start_paused = true)]
async fn without_another_target_each_caller_has_the_providers_rejection() {
    let first = Provider::new("primary").requires("another-key");
    let client = over(Client::builder(), [&first]);
    for _ in 0..20 {
        assert_eq!(call(&client, chat(false)).await.unwrap().status, 401);
    }
    assert_eq!(first.count(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_is_tried_again_within_seconds() {
    let (first, second) =
        (Provider::new("primary").requires("another-key"), Provider::new("secondary"));
    let fallback = Fallback::target(Target::new("http://secondary/v1"));
    let client = over(Client::builder().fallback(fallback), [&first, &second]);
    // While it is refused, retries are at most a minute apart.
    let begun = tokio::time::Instant::now();
    let mut tried = vec![begun];
    while begun.elapsed() < secs(600) {
        let before = first.count();
        assert_eq!(call(&client, chat(false)).await.unwrap().from(), "secondary");
        if first.count() > before {
            tried.push(tokio::time::Instant::now());
        }
        tokio::time::sleep(ms(500)).await;
    }
    let longest = tried.windows(2).map(|two| two[1] - two[0]).max().unwrap();
    assert!(longest <= secs(61) && tried.len() >= 12, "{longest:?}, {}", tried.len());
}
