//! Requests to the primary.

use std::time::Duration;

use bytes::Bytes;
use evenkeel::{Request, context::Deadline};

pub(crate) const PRIMARY: &str = "http://primary/v1/chat/completions";

/// A chat request to the primary.
pub(crate) fn chat(stream: bool) -> Request {
    let usage = if stream { r#""stream_options":{"include_usage":true},"# } else { "" };
    let body = format!(
        r#"{{"model":"m","stream":{stream},{usage}"messages":[{{"role":"user","content":"where is my parcel?"}}]}}"#
    );
    with_body(body)
}

/// A chat request to the primary with this body.
pub(crate) fn with_body(body: impl Into<Bytes>) -> Request {
    let request = http::Request::post(PRIMARY).header("content-type", "application/json");
    request.header("authorization", "Bearer the-first-key").body(body.into()).unwrap()
}

/// A request to any path of the primary.
pub(crate) fn request_to(method: &str, path: &str, body: impl Into<Bytes>) -> Request {
    let request = http::Request::builder().method(method).uri(format!("http://primary{path}"));
    request.header("authorization", "Bearer the-first-key").body(body.into()).unwrap()
}

pub(crate) fn post(path: &str, body: &'static str) -> Request {
    request_to("POST", path, body)
}

/// The same request with a value in its extensions.
pub(crate) fn with_extension<T>(mut request: Request, value: T) -> Request
where
    T: Clone + Send + Sync + 'static,
{
    request.extensions_mut().insert(value);
    request
}

pub(crate) fn with_deadline(request: Request, limit: Duration) -> Request {
    with_extension(request, Deadline::within(limit))
}
