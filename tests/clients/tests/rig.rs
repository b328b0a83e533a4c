//! Tests for rig only: its rules for retries.

use std::time::Duration;

use evenkeel::{
    adapter::reqwest_middleware::EvenkeelMiddleware, fallback::Fallback, stream::CommitPolicy,
};
use evenkeel_clients::{Caller, How, Rig, Stage, brittle, builder, profile};
use evenkeel_testkit::{Fault, Reply};
use rig::{
    error::ErrorKind, providers::openai::OpenAIConfig, rig_reqwest::ReqwestMiddlewareClient,
};

#[tokio::test]
async fn rig_asks_once_and_the_attempts_are_ours() {
    for how in How::TEXT {
        let stage = Stage::always(Reply::status(503)).await;
        let client = Rig::new(builder(profile(CommitPolicy::FirstContent)), &stage.url());
        let report = client.call(how).await.unwrap_err().report();
        assert_eq!(report.http_status, Some(503), "{how:?}: {report:?}");
        assert_eq!(stage.primary.count(), 3, "{how:?}");
    }
}

#[tokio::test]
async fn a_refusal_gives_rig_the_wait() {
    let stage = Stage::always(Reply::status(503)).await;
    let evenkeel = EvenkeelMiddleware::new(builder(brittle(Duration::from_secs(20)))).unwrap();
    Rig::with(evenkeel.clone(), &stage.url()).call(How::Unary).await.unwrap_err();

    // An error of the transport contains only that it may be retried.
    let error = Rig::with(evenkeel.clone(), &stage.url()).call(How::Unary).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Http);
    assert!(error.is_retryable() && error.provider_response_headers().is_none());

    for how in How::TEXT {
        let client = Rig::with(evenkeel.clone().refusals_as_503(), &stage.url());
        let error = client.call(how).await.unwrap_err();
        assert_eq!(error.report().code.as_deref(), Some("evenkeel_refused"), "{how:?}");
        let headers = error.provider_response_headers().expect("a response");
        let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=20).contains(&wait), "{how:?}: {wait}");
    }
    assert_eq!(stage.primary.count(), 1, "nothing is sent");
}

#[tokio::test]
async fn a_broken_stream_is_not_requested_again() {
    let stage = Stage::of([Reply::answer().with(Fault::Cut { words: 40 })]).await;
    let client = Rig::new(stage.evenkeel(profile(CommitPolicy::FirstContent)), &stage.url());
    client.call(How::Streamed).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stage.attempts(), [1, 0]);
}

#[tokio::test]
async fn a_canned_reply_is_read_both_ways() {
    for how in How::TEXT {
        let stage = Stage::always(Reply::status(503)).await;
        let evenkeel =
            builder(profile(CommitPolicy::FirstContent)).fallback(Fallback::canned("Back soon."));
        let said = Rig::new(evenkeel, &stage.url()).ask(how).await.unwrap();
        assert_eq!(said.text, "Back soon.", "{how:?}");
    }
}

/// The example of the guide's page.
#[tokio::test]
async fn the_example_of_the_guide_answers() {
    let stage = Stage::always(Reply::status(503)).await;
    let evenkeel = EvenkeelMiddleware::new(
        builder(profile(CommitPolicy::FirstContent))
            .fallback(Fallback::canned("Please write to us.")),
    )
    .unwrap()
    .refusals_as_503();
    let http =
        reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(evenkeel).build();
    let openai = OpenAIConfig::new("key")
        .with_base_url(stage.url())
        .connect(ReqwestMiddlewareClient::from(http));
    let answer = openai.chat("gpt-4o-mini").call("Where is my parcel?").await.unwrap();
    assert_eq!(answer.text(), "Please write to us.");
}
