//! Requests and answers in a content coding.

use std::io::Write;

use axum::body::Body;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::Response;

use super::support::{RecordingUpstream, client, gateway_for};

const CHAT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
const WHOLE: &str =
    r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{}}"#;

/// The text in gzip, with a flush and without the end.
fn open_gzip(text: &str) -> GzEncoder<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.flush().unwrap();
    encoder
}

fn zstd(plain: &str) -> Vec<u8> {
    let mut coded = Vec::with_capacity(plain.len() + 1024);
    zstd_safe::compress(&mut coded, plain.as_bytes(), 3).unwrap();
    coded
}

fn coded(kind: &str, body: Body) -> Response<Body> {
    let response = Response::builder().header("content-type", kind);
    response.header("content-encoding", "gzip").body(body).unwrap()
}

#[tokio::test]
async fn a_coded_request_reaches_its_upstream_as_it_came_and_a_coded_answer_the_caller() {
    let (seen, answer) =
        (RecordingUpstream::default(), Bytes::from(open_gzip(WHOLE).finish().unwrap()));
    let answered = answer.clone();
    let upstream = seen.answering(move || coded("application/json", answered.clone().into())).await;
    let gateway = gateway_for(&upstream).await;
    let asked = zstd(r#"{"model":"m","messages":[]}"#);
    let request = client().post(gateway.at("/v1/chat/completions"));
    let response =
        request.header("content-encoding", "zstd").body(asked.clone()).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-encoding"]),
        (200, &"gzip".parse().unwrap())
    );
    assert_eq!(response.bytes().await.unwrap(), answer);
    let all = seen.all();
    assert_eq!((all.len(), &all[0].1[..]), (1, &asked[..]));
    assert_eq!(all[0].0.headers["content-encoding"], "zstd");
}

#[tokio::test]
async fn a_coded_stream_that_breaks_ends_in_a_plain_error_event() {
    let answer = || {
        let first = Bytes::from(open_gzip(CHAT).get_ref().clone());
        let pieces = [Ok::<_, std::io::Error>(first)];
        coded("text/event-stream", Body::from_stream(futures_util::stream::iter(pieces)))
    };
    let gateway = gateway_for(&RecordingUpstream::default().answering(answer).await).await;
    let asked = zstd(r#"{"model":"m","stream":true,"messages":[]}"#);
    let request = client().post(gateway.at("/v1/chat/completions"));
    let response = request.header("content-encoding", "zstd").body(asked).send().await.unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
    let text = response.text().await.unwrap();
    assert!(text.starts_with(CHAT) && text.contains("\"error\""), "{text}");
}
