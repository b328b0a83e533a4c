use super::*;
use crate::outcome::{Code, Outcome};

async fn read_as_client(status: u16, body: impl Into<Body>) -> ApiError {
    let response = http::Response::builder().status(status).body(body.into()).unwrap();
    let response = legible(response).await;
    assert_eq!(response.status(), status);
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice::<WrappedError>(&bytes).expect("async-openai reads it").error
}

#[tokio::test]
async fn errors_of_any_shape_are_read_with_message_type_and_code() {
    let cases = [
        (r#"{"error":{"message":"m","type":"t","param":null,"code":429}}"#, "m", "t", "429"),
        (
            r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]"#,
            "m",
            "RESOURCE_EXHAUSTED",
            "429",
        ),
        (
            r#"{"object":"error","message":"m","type":"t","param":null,"code":"3505"}"#,
            "m",
            "t",
            "3505",
        ),
        (
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"m"},"request_id":"r"}"#,
            "m",
            "rate_limit_error",
            "",
        ),
        (r#"{"message":"m"}"#, "m", "", ""),
        (r#"{"error":"m"}"#, "m", "", ""),
        (r#"{"detail":"m"}"#, "m", "", ""),
        (r#"{"error":null,"message":"m"}"#, "m", "", ""),
        (r#""m""#, "m", "", ""),
        ("<html>slow down</html>\n", "<html>slow down</html>", "", ""),
        (r#"{"error":{}}"#, r#"{"error":{}}"#, "", ""),
        (r#"{"error":{"mess"#, r#"{"error":{"mess"#, "", ""),
        ("[]", "[]", "", ""),
        ("  ", "Too Many Requests", "", ""),
        ("", "Too Many Requests", "", ""),
    ];
    for (body, message, kind, code) in cases {
        let error = read_as_client(429, body).await;
        let read = [Some(error.message), error.r#type, error.code].map(Option::unwrap_or_default);
        assert_eq!(read, [message, kind, code].map(String::from), "{body}");
    }
    assert_eq!(read_as_client(498, "").await.message, "no reason was given");
}

#[tokio::test]
async fn what_the_client_reads_anyway_stays_byte_for_byte() {
    let known = r#"{ "error": {"message":"m","type":null,"param":null,"code":"c","more":1} }"#;
    for (status, body) in [(429, known), (200, "anything"), (503, "<html>"), (599, "")] {
        let response = http::Response::builder().status(status).header("content-type", "x/y");
        let response = legible(response.body(Body::from(body)).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "x/y");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
    }
}

#[tokio::test]
async fn the_code_that_classification_found_is_told_where_the_body_has_none() {
    let verdict =
        Verdict::new(Outcome::RateLimited { wait: None }).with_code(Code::new("slow_down"));
    let mut response = http::Response::builder().status(429).body("later".into()).unwrap();
    response.extensions_mut().insert(verdict);
    let bytes = legible(response).await.into_body().collect().await.unwrap().to_bytes();
    let read: WrappedError = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read.error.code.as_deref(), Some("slow_down"));
}

#[tokio::test]
async fn a_body_that_is_coded_endless_or_broken_has_its_status_all_the_same() {
    let coded = http::Response::builder().status(429).header("content-encoding", "br");
    let response = legible(coded.body("\u{1}\u{2}".into()).unwrap()).await;
    assert!(!response.headers().contains_key("content-encoding"));
    let length = response.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(length, bytes.len());
    assert!(String::from_utf8_lossy(&bytes).contains("Too Many Requests"));

    // Of gzip only the header.
    let cut = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let coded = http::Response::builder().status(429).header("content-encoding", "gzip");
    let bytes = legible(coded.body(cut.into()).unwrap()).await.into_body().collect().await;
    assert!(String::from_utf8_lossy(&bytes.unwrap().to_bytes()).contains("Too Many Requests"));

    let long = read_as_client(400, "x".repeat(3 * MOST)).await;
    assert_eq!(long.message.len(), MOST);

    let half = [Ok("{\"half"), Err(std::io::Error::other("gone"))];
    let frames = half.map(|data| data.map(|data| http_body::Frame::data(data.into())));
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
    assert_eq!(read_as_client(404, Body::wrap(body)).await.message, "{\"half");
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn an_error_body_in_a_content_coding_is_decoded() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(br#"{"error":{"message":"slow down","type":"x","code":"y"}}"#).unwrap();
    let coded = http::Response::builder().status(429).header("content-encoding", "gzip");
    let body = encoder.finish().unwrap();
    let response = legible(coded.body(body.into()).unwrap()).await;
    assert!(!response.headers().contains_key("content-encoding"));
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let read: WrappedError = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read.error.message, "slow down");
}
