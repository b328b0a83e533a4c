//! The answers of the operator's listener.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

/// Set on every answer: nothing is stored, framed, guessed or loaded from elsewhere.
const STRICT: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Adds the headers of every answer.
pub(super) fn strict(mut response: Response<Body>) -> Response<Body> {
    for (name, value) in STRICT {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(super) fn text(content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

pub(super) fn json_text(body: impl Into<Bytes>) -> Response<Body> {
    text("application/json", body)
}

pub(super) fn json_of(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    // Maps with keys that are no texts cannot be written; there are none.
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = json_text(body);
    *response.status_mut() = status;
    response
}

pub(super) fn error(status: StatusCode, words: &str) -> Response<Body> {
    json_of(status, &json!({ "error": words }))
}

pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
