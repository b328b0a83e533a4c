use std::{io, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use tokio::time::sleep;

use super::*;

/// Pieces of ten bytes, each after a wait; without a wait they are at hand.
fn pieces(count: usize, wait: Duration) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter(0..count).then(move |_| async move {
        if !wait.is_zero() {
            sleep(wait).await;
        }
        Ok(Bytes::from_static(b"0123456789"))
    })
}

fn body(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> reqwest::Body {
    reqwest::Body::wrap_stream(stream)
}

fn limit(buffer: usize, at_hand: usize) -> UploadLimit {
    UploadLimit { buffer, until: Instant::now() + Duration::from_secs(1), at_hand }
}

/// Whether it was read whole, and all its bytes.
async fn read(limit: UploadLimit, body: reqwest::Body) -> (bool, Bytes) {
    match limit.read(body).await.expect("the body does not fail") {
        Upload::Whole(bytes) => (true, bytes),
        Upload::Streamed(body) => {
            (false, body.collect().await.expect("the body does not fail").to_bytes())
        }
    }
}

const TICK: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_body_within_the_limit_is_read_whole_and_a_longer_one_passes_whole() {
    for (count, wait, buffer, at_hand, whole) in [
        (5, TICK, 50, 50, true),
        (5, TICK, 49, 49, false),
        (0, TICK, 50, 50, true),
        (5, TICK, 0, 0, false),
        (5, Duration::ZERO, 0, 50, true),
        (5, Duration::ZERO, 0, 49, false),
        (5, TICK, 0, 50, false),
        (5, TICK, 20, 50, false),
    ] {
        let (read_whole, bytes) = read(limit(buffer, at_hand), body(pieces(count, wait))).await;
        let case = (count, wait, buffer, at_hand);
        assert_eq!(read_whole, whole, "{case:?}");
        assert_eq!(bytes, "0123456789".repeat(count), "{case:?}: nothing is lost");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_slower_than_the_call_passes_on_with_what_was_read() {
    let started = Instant::now();
    let slow = body(pieces(5, Duration::from_millis(300)));
    let Ok(Upload::Streamed(rest)) = limit(1000, 1000).read(slow).await else {
        panic!("it is not whole in time");
    };
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    assert_eq!(rest.collect().await.expect("it does not fail").to_bytes().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_is_the_callers_failure() {
    let broken = pieces(2, TICK).chain(stream::iter([Err(io::ErrorKind::BrokenPipe.into())]));
    let error = limit(1000, 1000).read(body(broken)).await.err().expect("it fails");
    assert!(error.is_cancelled());
    // What streams anyway fails when it is sent.
    let broken = pieces(3, TICK).chain(stream::iter([Err(io::ErrorKind::BrokenPipe.into())]));
    let Ok(Upload::Streamed(rest)) = limit(20, 20).read(body(broken)).await else {
        panic!("it is too long");
    };
    assert!(rest.collect().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn trailers_and_frames_without_end_are_not_read_ahead() {
    let trailers = Frame::<Bytes>::trailers(HeaderMap::new());
    let frames = [Frame::data(Bytes::from_static(b"data")), trailers];
    let frames = stream::iter(frames.map(Ok::<_, io::Error>));
    let wrapped = reqwest::Body::wrap(StreamBody::new(frames));
    let Ok(Upload::Streamed(rest)) = limit(1000, 1000).read(wrapped).await else {
        panic!("trailers need a stream");
    };
    let rest = rest.collect().await.expect("it does not fail");
    assert!(rest.trailers().is_some() && rest.to_bytes() == "data");
    let endless = stream::repeat_with(|| Ok(Bytes::new()));
    assert!(matches!(limit(10, 10).read(body(endless)).await, Ok(Upload::Streamed(_))));
}

#[tokio::test]
async fn a_known_length_over_the_limit_is_not_read_at_all() {
    let known = http_body_util::Full::new(Bytes::from(vec![b'x'; 100]));
    let Ok(Upload::Streamed(rest)) = limit(99, 99).read(reqwest::Body::wrap(known)).await else {
        panic!("it is too long");
    };
    assert_eq!(rest.size_hint().exact(), Some(100));
}

#[test]
fn only_a_form_is_taken_as_far_as_it_is_at_hand() {
    let of = |kind: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        UploadLimit::of(&headers, 7, Instant::now()).at_hand
    };
    assert_eq!(of("multipart/form-data; boundary=x"), FORM);
    assert_eq!((of("application/json"), of("multipart/mixed")), (7, 7));
}
