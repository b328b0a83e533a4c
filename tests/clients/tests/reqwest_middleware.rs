//! Tests for reqwest-middleware only: middlewares before and after evenkeel's, streamed bodies, errors inside errors.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use evenkeel::{
    adapter::reqwest_middleware::EvenkeelMiddleware, context::AttemptLog, stream::CommitPolicy,
};
use evenkeel_clients::{Caller, How, Middleware, Stage, brittle, builder, profile, stage::KEY};
use evenkeel_testkit::{Fault, Reply, WORDS};
use http::Extensions;
use reqwest_middleware::{ClientBuilder, Error, Middleware as Layer, Next};
use serde_json::Value;

/// Counts the requests that pass through.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

#[async_trait]
impl Layer for Count {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        self.0.fetch_add(1, Ordering::SeqCst);
        next.run(request, extensions).await
    }
}

fn url(stage: &Stage) -> String {
    format!("{}/chat/completions", stage.url())
}

#[tokio::test]
async fn a_middleware_before_ours_sees_the_call_and_one_after_it_every_attempt() {
    let stage = Stage::of([Reply::status(503), Reply::status(503)]).await;
    let (before, after) = (Count::default(), Count::default());
    let evenkeel = EvenkeelMiddleware::new(builder(profile(CommitPolicy::FirstContent))).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(before.clone())
        .with(evenkeel)
        .with(after.clone())
        .build();
    let response = client.post(url(&stage)).bearer_auth(KEY).body("{}").send().await.unwrap();
    assert_eq!(response.extensions().get::<AttemptLog>().unwrap().sent(), 3);
    assert!(response.text().await.unwrap().contains(WORDS));
    let seen = [before, after].map(|count| count.0.load(Ordering::SeqCst));
    assert_eq!((seen, stage.primary.count()), ([1, 3], 3));
}

#[tokio::test]
async fn a_body_that_streams_is_sent_once() {
    let stage = Stage::always(Reply::status(503)).await;
    let client = Middleware::new(stage.evenkeel(profile(CommitPolicy::FirstContent)), &stage.url());
    let parts = futures_util::stream::iter(["{", "}"].map(Ok::<_, std::io::Error>));
    let body = reqwest::Body::wrap_stream(parts);
    let response = client.client.post(url(&stage)).bearer_auth(KEY).body(body).send().await;
    assert_eq!(response.unwrap().status(), 503);
    assert_eq!(stage.attempts(), [1, 0]);
}

#[tokio::test]
async fn a_failure_is_an_error_with_ours_inside() {
    let stage = Stage::always(Reply::hang()).await;
    let client = Middleware::new(builder(profile(CommitPolicy::FirstContent)), &stage.url());
    let error = client.post(How::Unary).await.unwrap_err();
    let Error::Middleware(error) = error else { panic!("{error:?}") };
    assert!(error.downcast_ref::<evenkeel::Error>().unwrap().is_timeout());
}

#[tokio::test]
async fn a_refusal_is_an_error_or_a_503_as_configured() {
    let stage = Stage::always(Reply::status(503)).await;
    let evenkeel =
        EvenkeelMiddleware::new(builder(brittle(Duration::from_millis(20_400)))).unwrap();
    let post = async |evenkeel: EvenkeelMiddleware| {
        let client = Middleware::client(evenkeel);
        client.post(url(&stage)).bearer_auth(KEY).body("{}").send().await
    };
    post(evenkeel.clone()).await.unwrap();
    let error = post(evenkeel.clone()).await.unwrap_err();
    let Error::Middleware(error) = error else { panic!("{error:?}") };
    assert!(error.downcast_ref::<evenkeel::Error>().unwrap().is_refused());

    let response = post(evenkeel.refusals_as_503()).await.unwrap();
    assert_eq!((response.status().as_u16(), stage.primary.count()), (503, 1));
    assert_eq!(response.url().as_str(), url(&stage));
    assert!(response.extensions().get::<AttemptLog>().is_some());
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    // Rounded up, so that a retry at that time is not early.
    assert!((1..=21).contains(&wait), "{wait}");
    let said: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(said["error"]["code"], "evenkeel_refused");
}

#[tokio::test]
async fn other_failures_stay_errors_with_refusals_as_503() {
    let stage = Stage::always(Reply::hang()).await;
    let evenkeel = EvenkeelMiddleware::new(builder(profile(CommitPolicy::FirstContent))).unwrap();
    let client = Middleware::client(evenkeel.refusals_as_503());
    let sent = client.post(url(&stage)).bearer_auth(KEY).body("{}").send().await;
    assert!(matches!(sent, Err(Error::Middleware(_))), "{sent:?}");
}

#[tokio::test]
async fn a_broken_stream_is_not_requested_again() {
    let stage = Stage::of([Reply::answer().with(Fault::Cut { words: 40 })]).await;
    let client = Middleware::new(stage.evenkeel(profile(CommitPolicy::FirstContent)), &stage.url());
    let mut response = client.post(How::Streamed).await.unwrap();
    while let Ok(Some(_)) = response.chunk().await {}
    drop(response);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stage.attempts(), [1, 0]);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_its_attempt_with_it() {
    let stage = Stage::always(Reply::hang()).await;
    let client = Middleware::new(stage.evenkeel(profile(CommitPolicy::FirstContent)), &stage.url());
    let brief = Duration::from_millis(200);
    tokio::time::timeout(brief, client.ask(How::Unary)).await.unwrap_err();
    let noticed = async {
        while stage.primary.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noticed).await.expect("the provider notices");
    assert_eq!(stage.attempts(), [1, 0]);
}
