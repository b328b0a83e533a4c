//! The readers of this crate against the answers that the testkit writes in each wire language.
//!
//! The testkit is built with another instance of this crate, so that only bytes pass from it to these readers.

use bytes::Bytes;
use evenkeel_testkit::{Fault, Provider, Reply};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{
    dialect::{Dialect, StreamMonitor},
    outcome::{ErrorCodeTable, Outcome},
};

const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

/// The bytes of the answer, up to its end or to the failure of its body.
async fn answer(path: &str, request: &'static str, reply: &Reply) -> Vec<u8> {
    let provider = Provider::new("p").always(reply.clone());
    let request = http::Request::post(format!("http://p{path}")).body(Bytes::from(request));
    let response = provider.oneshot(request.unwrap()).await.unwrap();
    let (mut body, mut bytes) = (response.into_body(), Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend_from_slice(&frame.into_data().unwrap());
    }
    bytes
}

/// The monitor's results for a stream: words seen, failure, end, tokens.
async fn followed(path: &str, reply: &Reply) -> (u32, Option<Outcome>, Outcome, Option<u64>) {
    let bytes = answer(path, r#"{"model":"m-1","stream":true}"#, reply).await;
    let mut monitor =
        StreamMonitor::new(Dialect::of_path(path).unwrap(), &ErrorCodeTable::default());
    let seen = monitor.feed(&bytes);
    let end = monitor.finish().unwrap_or_else(|why| why.outcome());
    let failed = seen.failed.map(|verdict| verdict.outcome());
    (seen.content, failed, end, monitor.usage().map(|tokens| tokens.output))
}

#[tokio::test]
async fn a_stream_is_read_in_the_wire_language_of_its_path() {
    for path in PATHS {
        let (_, failed, end, _) = followed(path, &Reply::answer()).await;
        assert_eq!((failed, end), (None, Outcome::Success), "{path}");
        let cut = Reply::answer().with(Fault::Cut { words: 40 });
        let (words, _, end, _) = followed(path, &cut).await;
        assert_eq!((words, end), (40, Outcome::Truncated), "{path}");
        let failing = Reply::answer().with(Fault::server_error(3));
        let unavailable = Outcome::Unavailable { wait: None };
        let (words, failed, ..) = followed(path, &failing).await;
        assert_eq!((words, failed), (3, Some(unavailable)), "{path}");
        let invalid = Reply::answer().with(Fault::InvalidEvent { event: 10 });
        assert_eq!(followed(path, &invalid).await.1, Some(Outcome::Malformed), "{path}");
        let no_done = Reply::answer().with(Fault::NoDone);
        assert_eq!(followed(path, &no_done).await.2, Outcome::Success, "{path}");
        let empty = Reply::answer().text("");
        assert_eq!(followed(path, &empty).await.2, Outcome::Empty, "{path}");
    }
    assert_eq!(followed(PATHS[1], &Reply::answer()).await.3, Some(60));
    assert_eq!(followed(PATHS[2], &Reply::answer()).await.3, Some(60));
    let unfinished = Reply::answer().with(Fault::NoFinish);
    assert_eq!(followed(PATHS[1], &unfinished).await.2, Outcome::Truncated);
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_is_read_in_it_too() {
    for path in PATHS {
        let body = answer(path, r#"{"model":"m\"1"}"#, &Reply::answer()).await;
        let dialect = Dialect::of_path(path).unwrap();
        let (answer, facts) = dialect.check(&ErrorCodeTable::default(), &body);
        assert_eq!((answer, facts.usage.unwrap().output), (Ok(Outcome::Success), 60), "{path}");
    }
}
