//! What an application asks about a failure and about where an answer is from.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use evenkeel::{
    Body, Client, ClientBuilder, Error, ResponseExt, ServedBy,
    cache::CachePolicy,
    fallback::{Capabilities, Fallback, Prefill},
    outcome::Outcome,
    stream::MidStreamFailure,
};
use evenkeel_testkit::{Fault, Provider, Reply};
use futures_util::{StreamExt, future::join_all, stream};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::support::{call, chat, in_virtual_time, ms, over, pair, secondary, without_retries};

type Question = fn(&Error) -> bool;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn builder() -> ClientBuilder {
    Client::builder().profile(without_retries())
}

/// The error of one call to a provider with that reply.
async fn failure(reply: Reply) -> Error {
    let client = over(builder(), [&Provider::new("primary").always(reply)]);
    let result = client.send(chat(false)).await;
    result.and_then(ResponseExt::into_result).expect_err("it fails")
}

// === into_result ===

#[tokio::test(start_paused = true)]
async fn a_failure_is_the_same_error_with_and_without_an_answer() {
    let questions: [(Reply, Question, Option<u16>); 9] = [
        (Reply::status(503), Error::is_unavailable, Some(503)),
        (Reply::reset(), Error::is_connection_lost, None),
        (Reply::rate_limited(None), Error::is_rate_limited, Some(429)),
        (Reply::quota_exhausted(), Error::is_quota_exhausted, Some(429)),
        (Reply::context_length_exceeded(), Error::is_too_large, Some(400)),
        (Reply::content_policy_violation(), Error::is_blocked, Some(400)),
        (Reply::status(401), Error::is_unauthorized, Some(401)),
        (Reply::hang(), Error::is_timeout, None),
        (Reply::empty(), Error::is_unusable, None),
    ];
    for (at, (reply, asks, status)) in questions.into_iter().enumerate() {
        let error = failure(reply).await;
        assert!(asks(&error), "{at}: {error:?}");
        assert_eq!(error.status().map(|status| status.as_u16()), status, "{at}: {error:?}");
        assert!(error.attempt_log().is_some_and(|log| log.sent() == 1), "{at}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn three_question_marks_give_one_error_with_reqwest_too() {
    async fn answer(client: &Client) -> Result<String, Error> {
        let request = reqwest::Client::new()
            .post("http://primary/v1/chat/completions")
            .body(r#"{"model": "large", "stream": true}"#);
        Ok(client.call(request).await?.into_result()?.text().await?)
    }
    let replies =
        [Reply::answer(), Reply::status(401), Reply::answer().with(Fault::Cut { words: 20 })];
    let provider = Provider::new("primary").replies(replies);
    let client = over(builder(), [&provider]);
    assert!(answer(&client).await.is_ok_and(|text| text.contains("[DONE]")));
    assert!(answer(&client).await.unwrap_err().is_unauthorized());
    let cut = answer(&client).await.unwrap_err();
    assert!(cut.is_truncated(), "{cut:?}");
    assert!(cut.attempt_log().is_some_and(|log| log.sent() == 1), "{cut:?}");
    let unbuilt = reqwest::Client::new().get("no url").build().unwrap_err();
    assert!(Error::from(unbuilt).is_rejected());
}

#[tokio::test(start_paused = true)]
async fn an_answer_stays_as_it_is() {
    let client = over(builder(), [&Provider::new("primary")]);
    let response = client.send(chat(true)).await.unwrap().into_result().unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.attempt_log().sent() == 1 && response.verdict().outcome().is_success());
    crate::support::read(response).await.is_whole();
}

#[tokio::test]
async fn a_response_from_elsewhere_is_judged_by_its_status_and_headers() {
    let response = |status: u16| {
        let mut response = Response::new(Body::from("nothing to parse"));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert("retry-after", "7".parse().unwrap());
        response.into_result()
    };
    assert!(response(200).is_ok() && response(304).is_ok());
    let limited = response(429).unwrap_err();
    assert!(limited.is_rate_limited() && limited.attempt_log().is_none());
    assert_eq!(limited.retry_in(), Some(Duration::from_secs(7)));
    assert!(response(302).unwrap_err().is_rejected());
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_failure_is_read_only_when_it_is_asked_for() {
    let body = r#"{"error":{"message":"the secret prompt","code":"slow_down"}}"#;
    let reply = Reply::raw(429, "application/json", body).header("x-request-id", "req-7");
    let mut error = failure(reply).await;
    assert_eq!(error.headers().unwrap()["x-request-id"], "req-7");
    assert_eq!(error.read_body().await, body);
    assert_eq!(error.read_body().await, body, "read twice");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("429") && !shown.contains("secret") && !shown.contains("req-7"));
    assert_eq!(Error::new(Outcome::Blocked).read_body().await, "", "there was no answer");
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_failure_is_bounded_in_size_and_time() {
    let failed = |frames: Vec<Result<Bytes, Error>>, ends: bool| {
        let frames = stream::iter(frames).map(|bytes| bytes.map(Frame::data));
        let rest = stream::pending().take(usize::from(!ends));
        let mut response = Response::new(Body::wrap(StreamBody::new(frames.chain(rest))));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response.into_result().unwrap_err()
    };
    let kib = || Ok(Bytes::from(vec![b'x'; 1024]));
    let mut long = failed((0..65).map(|_| kib()).collect(), true);
    assert_eq!(long.read_body().await.len(), 64 * 1024);
    let mut broken = failed(vec![kib(), Err(Error::new(Outcome::Truncated))], true);
    assert_eq!(broken.read_body().await.len(), 1024);
    let mut silent = failed(vec![kib(), kib()], false);
    assert_eq!(silent.read_body().await.len(), 2048);
    assert_eq!(silent.read_body().await.len(), 2048, "without a second wait");
}

// === all_failed ===

#[tokio::test(start_paused = true)]
async fn all_have_failed_if_no_fallback_is_left() {
    let (primary, second) = pair();
    let client = over(builder().fallback(secondary()), [&primary, &second]);
    let ask = async || client.send(chat(false)).await.and_then(ResponseExt::into_result);
    assert!(!ask().await.unwrap().attempt_log().all_failed());
    primary.set(Reply::status(503));
    assert!(!ask().await.unwrap().attempt_log().all_failed(), "the fallback answered");
    second.set(Reply::reset());
    let error = ask().await.unwrap_err();
    assert!(error.all_failed() && error.is_unavailable(), "{error:?}");
    primary.set(Reply::content_policy_violation());
    let error = ask().await.unwrap_err();
    assert!(error.is_blocked() && !error.all_failed(), "the fallback was not asked: {error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_fallbacks_and_one_that_shares_an_attempt_have_failed_everywhere_too() {
    assert!(failure(Reply::status(503)).await.all_failed());
    assert!(!failure(Reply::status(400)).await.all_failed(), "the request is wrong");
    let primary = Provider::new("primary").always(Reply::status(503).head_after(ms(50)));
    let client = over(builder().cache(CachePolicy::new().coalesce(true)), [&primary]);
    let calls = join_all((0..3).map(|_| client.send(chat(false)))).await;
    assert_eq!(primary.count(), 1);
    for call in calls {
        assert!(call.and_then(ResponseExt::into_result).unwrap_err().all_failed());
    }
}

// === served_by ===

#[test]
fn every_answer_says_where_it_is_from() {
    in_virtual_time(async {
        let (primary, second) = pair();
        let builder = builder()
            .cache(CachePolicy::new().serve_fresh_for(Duration::from_secs(60)))
            .fallback(secondary().named("spare"))
            .fallback(Fallback::stored(DAY))
            .fallback(Fallback::canned("Busy.").named("sorry"));
        let client = over(builder, [&primary, &second]);
        let ask = async || {
            let response = client.send(chat(false)).await.unwrap();
            let served = ServedBy::of(&response);
            assert_eq!(served, response.served_by());
            // As a client of a gateway would see it.
            let seen = ServedBy::from_headers(response.headers());
            assert_eq!(seen.is_degraded(), served.is_degraded());
            assert_eq!(
                (seen.is_stored(), seen.is_canned()),
                (served.is_stored(), served.is_canned())
            );
            response.into_body().collect().await.unwrap();
            served.to_string()
        };
        assert_eq!(ask().await, "primary");
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(ask().await, "stored answer, fresh, 10 s old");
        tokio::time::advance(Duration::from_secs(60)).await;
        primary.set(Reply::status(503));
        assert_eq!(ask().await, "fallback spare");
        second.set(Reply::status(503));
        assert_eq!(ask().await, "stored answer, stale, 70 s old");
        tokio::time::advance(2 * DAY).await;
        assert_eq!(ask().await, "canned reply");
    });
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_from_the_target_that_failed() {
    let client = over(builder(), [&Provider::new("primary").always(Reply::status(503))]);
    let response = client.send(chat(false)).await.unwrap();
    assert_eq!(response.served_by().to_string(), "first target");
    assert!(!response.served_by().is_degraded());
}

#[tokio::test(start_paused = true)]
async fn a_continued_stream_is_from_the_fallback_that_continued_it() {
    let (primary, second) = pair();
    primary.set(Reply::answer().with(Fault::Cut { words: 4 }));
    let second = second.continues();
    let continues = secondary().capabilities(Capabilities::default().prefill(Prefill::Prefix));
    let builder = builder().mid_stream_failure(MidStreamFailure::Continue).fallback(continues);
    let client = over(builder, [&primary, &second]);
    let (head, mut body) = client.send(chat(true)).await.unwrap().into_parts();
    let response = || Response::from_parts(head.clone(), Body::empty());
    assert_eq!(response().served_by().to_string(), "primary");
    while let Some(frame) = body.frame().await {
        frame.unwrap();
    }
    assert_eq!(response().served_by().to_string(), "fallback spare");
}

// === find ===

#[tokio::test(start_paused = true)]
async fn the_error_of_a_body_answers_the_same_questions() {
    let stalled = Provider::new("primary").always(Reply::answer().with(Fault::stall(2)));
    let client = over(builder(), [&stalled]);
    let answer = call(&client, chat(true)).await.unwrap();
    let broken = std::io::Error::other(Arc::new(answer.error.unwrap()));
    let error = Error::find(&broken).expect("it is inside");
    assert!(error.is_timeout() && error.attempt_log().is_some() && !error.all_failed());
}
