//! What the answers that are made here share, whatever their dialect.

use std::time::SystemTime;

use http::{HeaderValue, header};
use serde_json::Value;

use crate::{RequestInfo, Response};

pub(super) const JSON: &str = "application/json";
pub(super) const LINES: &str = "application/x-ndjson";
pub(super) const EVENTS: &str = "text/event-stream; charset=utf-8";

/// An answer with that body, which nobody is to store.
pub(super) fn reply(kind: &'static str, body: String) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An event with its name; `data` is JSON that begins with its `type`, which is that name.
pub(super) fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{data}}}\n\n")
}

/// A text as JSON.
pub(super) fn json(text: &str) -> String {
    Value::from(text).to_string()
}

/// The model that was asked, as JSON.
pub(super) fn model(info: &RequestInfo) -> String {
    json(info.model().unwrap_or("canned"))
}

/// An id that no other answer has, and that says who made it.
pub(super) fn id() -> String {
    format!("canned-{:016x}", fastrand::u64(..))
}

/// The time, in seconds since 1970.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
