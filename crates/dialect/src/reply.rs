//! The parts that rendered replies share in all dialects.

use std::time::SystemTime;

use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use crate::{RequestInfo, Response};

pub(super) const JSON: &str = "application/json";
pub(super) const LINES: &str = "application/x-ndjson";
pub(super) const EVENTS: &str = "text/event-stream; charset=utf-8";

/// A response with that body, marked as not to be stored.
pub(super) fn reply(kind: &'static str, body: String) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sets the content type of a converted body, and removes the headers that describe the bytes of the original one.
pub(super) fn relabel(headers: &mut HeaderMap, kind: &'static str) {
    const BYTES: [&str; 8] = [
        "content-length",
        "content-md5",
        "content-digest",
        "repr-digest",
        "digest",
        "etag",
        "accept-ranges",
        "content-range",
    ];
    BYTES.into_iter().for_each(|name| drop(headers.remove(name)));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
}

/// A named event; `data` is JSON that starts with its `type`, which is the same name.
pub(super) fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{data}}}\n\n")
}

/// A text as JSON.
pub(super) fn json(text: &str) -> String {
    Value::from(text).to_string()
}

/// The requested model, as JSON.
pub(super) fn model(info: &RequestInfo) -> String {
    json(info.model().unwrap_or("canned"))
}

/// A unique id with the prefix `canned-`.
pub(super) fn id() -> String {
    format!("canned-{:016x}", fastrand::u64(..))
}

/// The current time, in seconds since 1970.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
