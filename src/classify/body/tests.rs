use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use futures_util::{Stream, StreamExt, stream};
use http::HeaderMap;
use http_body_util::{BodyExt, StreamBody};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{outcome::Rejection, stream::BodyEnd};

const QUOTA: &str = r#"{"error":{"message":"no","type":"insufficient_quota","code":null}}"#;
const SLOW: &str = r#"{"error":{"message":"no","type":"t","code":"slow_down"}}"#;

fn body<S>(frames: S) -> Body
where
    S: Stream<Item = Result<Frame<Bytes>, Error>> + Send + Sync + 'static,
{
    Body::wrap(StreamBody::new(frames))
}

/// A body of these pieces, one frame each.
fn pieces(pieces: &[&'static str]) -> Body {
    let frames: Vec<_> =
        pieces.iter().map(|p| Ok(Frame::data(Bytes::from_static(p.as_bytes())))).collect();
    body(stream::iter(frames))
}

fn response(status: u16, body: impl Into<Body>) -> Response {
    http::Response::builder().status(status).body(body.into()).unwrap()
}

fn outcome(response: &Response) -> Outcome {
    response.extensions().get::<Verdict>().expect("classified").outcome()
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn ending(body: &mut Body) -> Arc<Mutex<Vec<BodyEnd>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hook = seen.clone();
    body.on_end(move |ending| hook.lock().unwrap().push(*ending));
    seen
}

#[tokio::test]
async fn a_body_known_in_full_is_classified_without_being_touched() {
    let bytes = Bytes::from_static(QUOTA.as_bytes());
    let classified =
        classify_response(&ErrorCodeTable::default(), response(429, bytes.clone())).await;
    assert_eq!(outcome(&classified), Outcome::QuotaExhausted { wait: None });
    assert_eq!(classified.body().as_bytes().unwrap().as_ptr(), bytes.as_ptr());
}

#[tokio::test]
async fn a_streamed_body_is_put_back_byte_for_byte() {
    let split = pieces(&[&SLOW[..7], "", &SLOW[7..30], &SLOW[30..]]);
    let mut split = response(503, split);
    let ended = ending(split.body_mut());
    let classified = classify_response(&ErrorCodeTable::default(), split).await;
    assert_eq!(outcome(&classified), Outcome::RateLimited { wait: None });
    assert_eq!(*ended.lock().unwrap(), [BodyEnd::Done]);
    assert_eq!(classified.body().as_bytes(), Some(SLOW.as_bytes()));
    assert_eq!(text(classified).await, SLOW);
}

#[tokio::test]
async fn a_single_frame_is_not_copied() {
    let bytes = Bytes::from_static(SLOW.as_bytes());
    let one = body(stream::iter([Ok(Frame::data(bytes.clone()))]));
    let classified = classify_response(&ErrorCodeTable::default(), response(429, one)).await;
    assert_eq!(classified.body().as_bytes().unwrap().as_ptr(), bytes.as_ptr());
}

#[tokio::test]
async fn an_empty_body_is_classified_by_its_status() {
    for empty in [Body::empty(), pieces(&[]), pieces(&["", ""])] {
        let classified = classify_response(&ErrorCodeTable::default(), response(401, empty)).await;
        assert_eq!(outcome(&classified), Outcome::Rejected { why: Rejection::Credential });
        assert_eq!(text(classified).await, "");
    }
}

#[tokio::test]
async fn a_success_is_not_read() {
    let success = body(stream::once(async { panic!("read") }));
    let classified = classify_response(&ErrorCodeTable::default(), response(200, success)).await;
    assert!(classified.extensions().get::<Verdict>().is_none());
}

#[tokio::test]
async fn a_verdict_that_is_there_stays() {
    let mut answer = response(500, body(stream::once(async { panic!("read") })));
    answer.extensions_mut().insert(Verdict::new(Outcome::Blocked));
    assert_eq!(
        outcome(&classify_response(&ErrorCodeTable::default(), answer).await),
        Outcome::Blocked
    );
}

#[tokio::test]
async fn codes_of_ones_own_are_used() {
    let codes = ErrorCodeTable::default().with("t", crate::outcome::CodeClass::QuotaExhausted);
    let answer = response(429, pieces(&[SLOW]));
    assert_eq!(
        outcome(&classify_response(&codes, answer).await),
        Outcome::QuotaExhausted { wait: None }
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_classified_by_what_has_come_and_goes_on_later() {
    let rest = stream::once(async {
        sleep(Duration::from_secs(60)).await;
        Ok(Frame::data(Bytes::from_static(b" late")))
    });
    let first = stream::iter([Ok(Frame::data(Bytes::from_static(QUOTA.as_bytes())))]);
    let start = Instant::now();
    let classified =
        classify_response(&ErrorCodeTable::default(), response(429, body(first.chain(rest)))).await;
    assert_eq!(start.elapsed(), PATIENCE);
    assert_eq!(outcome(&classified), Outcome::QuotaExhausted { wait: None });
    assert_eq!(text(classified).await, format!("{QUOTA} late"));
    assert_eq!(start.elapsed(), Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_says_anything_is_classified_by_its_status() {
    let start = Instant::now();
    let mut answer = response(503, body(stream::pending()));
    let ended = ending(answer.body_mut());
    let mut classified = classify_response(&ErrorCodeTable::default(), answer).await;
    assert_eq!(outcome(&classified), Outcome::Unavailable { wait: None });
    assert_eq!(start.elapsed(), PATIENCE);
    let outer = ending(classified.body_mut());
    drop(classified);
    assert_eq!(*ended.lock().unwrap(), [BodyEnd::Cancelled]);
    assert_eq!(*outer.lock().unwrap(), [BodyEnd::Cancelled]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_for_ever_does_not_hold_the_call() {
    let drip = stream::repeat(()).then(|()| async {
        sleep(Duration::from_millis(300)).await;
        Ok(Frame::data(Bytes::from_static(b" ")))
    });
    let start = Instant::now();
    let classified = classify_response(&ErrorCodeTable::default(), response(529, body(drip))).await;
    assert_eq!(outcome(&classified), Outcome::Unavailable { wait: None });
    assert_eq!(start.elapsed(), PATIENCE);
    let read = classified.into_body().into_data_stream().take(9).map(|piece| piece.unwrap().len());
    assert_eq!(read.fold(0, |all, len| async move { all + len }).await, 9);
}

#[tokio::test(start_paused = true)]
async fn empty_frames_without_end_do_not_hold_the_call() {
    let empty = stream::repeat_with(|| Ok(Frame::data(Bytes::new())));
    let classified =
        classify_response(&ErrorCodeTable::default(), response(500, body(empty))).await;
    assert_eq!(outcome(&classified), Outcome::Unavailable { wait: None });
}

#[tokio::test]
async fn an_endless_body_is_read_to_the_bound_and_no_further() {
    let taken = Arc::new(Mutex::new(0));
    let count = taken.clone();
    let endless = stream::repeat_with(move || {
        *count.lock().unwrap() += 1;
        Ok(Frame::data(Bytes::from_static(&[b'x'; 1024])))
    });
    let classified =
        classify_response(&ErrorCodeTable::default(), response(400, body(endless))).await;
    assert_eq!(outcome(&classified), Outcome::Declined);
    assert_eq!(*taken.lock().unwrap(), LIMIT / 1024);
}

#[tokio::test]
async fn a_code_past_the_bound_is_not_believed_and_the_bytes_are_all_there() {
    let long = format!("{}{QUOTA}", " ".repeat(LIMIT));
    for size in [LIMIT + 9, 4096, 1 << 20] {
        let frames: Vec<_> = long.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        let answer =
            response(429, body(stream::iter(frames.into_iter().map(|b| Ok(Frame::data(b))))));
        let classified = classify_response(&ErrorCodeTable::default(), answer).await;
        assert_eq!(outcome(&classified), Outcome::RateLimited { wait: None });
        assert_eq!(text(classified).await, long);
    }
    let classified =
        classify_response(&ErrorCodeTable::default(), response(429, long.clone())).await;
    assert_eq!(outcome(&classified), Outcome::RateLimited { wait: None });
}

#[tokio::test]
async fn an_error_of_the_transport_reaches_the_reader_where_it_was() {
    let broken = Error::new(Outcome::ConnectionLost).with_source("reset by peer");
    let frames = [Ok(Frame::data(Bytes::from_static(QUOTA.as_bytes()))), Err(broken)];
    let mut answer = response(429, body(stream::iter(frames)));
    let ended = ending(answer.body_mut());
    let mut classified = classify_response(&ErrorCodeTable::default(), answer).await;
    assert_eq!(outcome(&classified), Outcome::QuotaExhausted { wait: None });
    assert_eq!(*ended.lock().unwrap(), [BodyEnd::Failed(Outcome::ConnectionLost)]);
    assert!(!http_body::Body::is_end_stream(classified.body()));
    let outer = ending(classified.body_mut());
    let mut body = classified.into_body();
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), QUOTA);
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::ConnectionLost);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "reset by peer");
    assert!(body.frame().await.is_none());
    assert_eq!(*outer.lock().unwrap(), [BodyEnd::Failed(Outcome::ConnectionLost)]);
}

#[tokio::test]
async fn trailers_are_put_back() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "7".parse().unwrap());
    let frames =
        [Frame::data(Bytes::from_static(SLOW.as_bytes())), Frame::trailers(trailers.clone())];
    let answer = response(429, body(stream::iter(frames.map(Ok))));
    let mut classified = classify_response(&ErrorCodeTable::default(), answer).await;
    let ended = ending(classified.body_mut());
    let read = classified.into_body().collect().await.unwrap();
    assert_eq!(read.trailers(), Some(&trailers));
    assert_eq!(read.to_bytes(), SLOW);
    assert_eq!(*ended.lock().unwrap(), [BodyEnd::Done]);
}

#[tokio::test]
async fn a_length_that_was_known_stays_known() {
    let sized = http_body_util::Full::new(Bytes::from(vec![b'x'; LIMIT + 9]));
    let sized = Body::wrap(sized.map_err(|never: Infallible| match never {}));
    let classified = classify_response(&ErrorCodeTable::default(), response(500, sized)).await;
    let hint = http_body::Body::size_hint(classified.body());
    assert_eq!(hint.exact(), Some(LIMIT as u64 + 9));
}

#[tokio::test]
async fn nothing_of_the_body_is_shown() {
    let secret = format!("{{\"error\":{{\"message\":\"{}\"", "secret ".repeat(20_000));
    let frames: Vec<_> =
        secret.as_bytes().chunks(900).map(|b| Ok(Frame::data(Bytes::copy_from_slice(b)))).collect();
    let classified =
        classify_response(&ErrorCodeTable::default(), response(500, body(stream::iter(frames))))
            .await;
    assert!(!format!("{classified:?}").contains("secret"));
}

proptest! {
    /// However a body is split, the part read and the part left are the same.
    #[test]
    fn any_split_of_a_body_is_read_the_same(cuts in prop::collection::vec(0..QUOTA.len(), 0..9), tail in 0..70_000_usize) {
        let whole = format!("{QUOTA}{}", "x".repeat(tail));
        let mut cuts = cuts;
        cuts.extend([0, whole.len()]);
        cuts.sort();
        let frames: Vec<_> = cuts.windows(2).map(|w| Ok(Frame::data(Bytes::copy_from_slice(&whole.as_bytes()[w[0]..w[1]])))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let classified = classify_response(&ErrorCodeTable::default(), response(429, body(stream::iter(frames)))).await;
            assert_eq!(outcome(&classified), Outcome::QuotaExhausted { wait: None });
            assert_eq!(text(classified).await, whole);
        });
    }
}
