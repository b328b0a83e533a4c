//! How often a call looks up the state of its routes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::StatusCode;
use tower::{ServiceExt, service_fn};

use super::*;
use crate::{
    Body, Request, Response,
    fallback::{Fallback, Target},
    hedge::HedgePolicy,
    limit::LimitPolicy,
};

const ANSWER: &str =
    r#"{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}"#;
const VECTORS: &str = r#"{"object":"list","data":[{"index":0,"embedding":[0.5]}]}"#;

fn chat() -> Request {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    http::Request::post("http://one/v1/chat/completions").body(body.into()).expect("a request")
}

fn embedding() -> Request {
    let body = r#"{"model":"m","input":"hello"}"#;
    http::Request::post("http://one/v1/embeddings").body(body.into()).expect("a request")
}

fn status(status: StatusCode, body: &'static str) -> Response {
    let response = http::Response::builder().status(status);
    response.header("content-type", "application/json").body(Body::from(body)).expect("a response")
}

/// Fails the first attempts, and answers those after them.
fn provider(failing: usize, sent: Arc<AtomicUsize>) -> impl Upstream {
    service_fn(move |request: Request| {
        let fails = sent.fetch_add(1, Ordering::Relaxed) < failing;
        async move {
            let chat = request.uri().path().ends_with("completions");
            Ok(match fails {
                true => status(StatusCode::SERVICE_UNAVAILABLE, "no"),
                false => status(StatusCode::OK, if chat { ANSWER } else { VECTORS }),
            })
        }
    })
}

/// The attempts and the look-ups of each of the calls, through a stack in which every layer keeps something.
async fn look_ups<const N: usize>(
    fallbacks: FallbackPolicy,
    failing: usize,
    calls: [Request; N],
) -> [(usize, u64); N] {
    let sent = Arc::<AtomicUsize>::default();
    let limit = LimitPolicy::new().requests(500).tokens(100_000);
    let profile = Profile::interactive().limit(limit).hedge(HedgePolicy::new());
    let parts =
        Parts { cache: None, fallbacks, identity: None, before: None, chaos: ChaosSlot::default() };
    let built = build(provider(failing, sent.clone()), profile, parts, EventSink::default());
    let Built { stack, handles: view, .. } = built.expect("a valid stack");
    let counts = || (sent.load(Ordering::Relaxed), view.breakers.routes().look_ups());
    let mut all = [(0, 0); N];
    for (call, counted) in calls.into_iter().zip(&mut all) {
        let before = counts();
        let response = stack.clone().oneshot(call).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        drop(response);
        *counted = (counts().0 - before.0, counts().1 - before.1);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_call_looks_its_route_up_once() {
    let counted = look_ups(FallbackPolicy::new(), 0, [chat(), chat()]).await;
    assert_eq!(counted, [(1, 1), (1, 1)], "attempts and look-ups");
}

#[tokio::test(start_paused = true)]
async fn a_retry_looks_nothing_up_again() {
    let counted = look_ups(FallbackPolicy::new(), 1, [chat()]).await;
    assert_eq!(counted, [(2, 1)], "attempts and look-ups");
}

#[tokio::test(start_paused = true)]
async fn an_operation_looks_up_what_all_operations_share_the_first_time_alone() {
    let counted = look_ups(FallbackPolicy::new(), 0, [embedding(), embedding(), chat()]).await;
    assert_eq!(counted, [(1, 2), (1, 1), (1, 1)], "attempts and look-ups");
}

#[tokio::test(start_paused = true)]
async fn each_target_of_a_call_is_looked_up_once() {
    let fallbacks = FallbackPolicy::new()
        .fallback(Fallback::target(Target::new("http://two/v1").model("m")))
        .fallback(Fallback::target(Target::new("http://three/v1").model("m")));
    // The own target and its two retries fail.
    let counted = look_ups(fallbacks, 3, [chat()]).await;
    assert_eq!(counted, [(4, 2)], "attempts and look-ups");
}

#[tokio::test(start_paused = true)]
async fn of_equal_targets_each_is_looked_up_once_beside_what_they_share() {
    let equals = ["http://two/v1", "http://three/v1"].map(Target::new);
    let fallbacks = FallbackPolicy::new().primaries(equals);
    let counted = look_ups(fallbacks, 1, [chat(), chat()]).await;
    assert_eq!(counted, [(2, 3), (1, 2)], "attempts and look-ups");
}
