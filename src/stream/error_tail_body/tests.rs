use std::convert::Infallible;

use futures_util::{FutureExt, stream};
use http_body_util::{BodyExt, StreamBody};

use super::*;
use crate::outcome::Outcome;

fn info(path: &str) -> RequestInfo {
    let body = r#"{"model":"m","stream":true}"#.into();
    RequestInfo::read(&http::Request::post(path).body(body).unwrap())
}

/// A body of these pieces, which then fails or ends.
fn body(pieces: &'static [&'static str], fails: bool) -> Body {
    let pieces = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
    let end = fails.then(|| Err(Error::new(Outcome::Truncated)));
    Body::wrap(StreamBody::new(stream::iter(pieces.chain(end))))
}

/// Everything that a server sends; an error if the body ends in one.
fn sent(body: ErrorTailBody) -> Result<String, Outcome> {
    let whole = body.collect().now_or_never().unwrap().map_err(|error| error.outcome())?;
    Ok(String::from_utf8(whole.to_bytes().to_vec()).unwrap())
}

const CHAT: &str = "/v1/chat/completions";

#[test]
fn a_stream_that_breaks_ends_with_an_error_event_and_the_body_ends_well() {
    let broken = body(&["data: {}\n", "\ndata: {\"ch"], true);
    let text = sent(ErrorTailBody::new(broken, &info(CHAT))).unwrap();
    let error = r#"{"error":{"code":"evenkeel_truncated","message":"evenkeel: the answer was cut short","param":null,"type":"server_error"}}"#;
    assert_eq!(text, format!("data: {{}}\n\ndata: {error}\n\n"));
}

#[test]
fn a_stream_that_ends_well_is_handed_on_as_it_came() {
    let well = body(&["data: {}\n", "\ndata: {\"ch"], false);
    assert_eq!(sent(ErrorTailBody::new(well, &info(CHAT))).unwrap(), "data: {}\n\ndata: {\"ch");
}

#[test]
fn an_error_that_the_stream_cannot_hold_stays_one() {
    let array = "/v1beta/models/m:streamGenerateContent";
    for (path, pieces) in [(array, &[][..]), ("/v1/other", &["data: {}\n\n"])] {
        let error = sent(ErrorTailBody::new(body(pieces, true), &info(path)));
        assert_eq!(error, Err(Outcome::Truncated), "{path}");
    }
}

#[test]
fn an_error_is_reported_in_the_words_of_the_server() {
    let tail = ErrorTailBody::new(body(&[], true), &info("/api/chat"));
    let tail = tail.describe(|error| ErrorReply::of(error.outcome(), "c", "busy"));
    assert_eq!(sent(tail).unwrap(), "{\"error\":\"busy\"}\n");
}

#[test]
fn trailers_of_the_upstream_are_not_sent_on() {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-a", http::HeaderValue::from_static("1"));
    let frames = [Frame::data(Bytes::from_static(b"data: {}\n\n")), Frame::trailers(trailers)];
    let frames = stream::iter(frames.map(Ok::<_, Infallible>));
    let tail = ErrorTailBody::new(Body::wrap(StreamBody::new(frames)), &info(CHAT));
    let whole = tail.collect().now_or_never().unwrap().unwrap();
    assert!(whole.trailers().is_none());
}
