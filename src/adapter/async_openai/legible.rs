//! Converts error bodies to the one shape that async-openai parses: it loses the status of others.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use async_openai::error::{ApiError, WrappedError};
use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::{Body, Response, outcome::Verdict, stream::decode_response};

/// The maximum number of bytes read of an error body; a longer one is cut, and its status kept.
const MOST: usize = 1024 * 1024;

/// The response with an error body that async-openai can parse. One that it parses anyway stays byte for byte: those of its
/// shape, and those of 5xx, which it treats as text.
pub(super) async fn legible(response: Response) -> Response {
    let status = response.status();
    if status.is_success() || status.is_server_error() {
        return response;
    }
    let (mut parts, body) = decode_response(response).into_parts();
    let bytes = read(body).await;
    if serde_json::from_slice::<WrappedError>(&bytes).is_ok() {
        return Response::from_parts(parts, bytes.freeze().into());
    }
    let mut error = if is_coded(&parts.headers) {
        said_nothing(parts.status)
    } else {
        error(&bytes, parts.status)
    };
    if error.code.is_none() {
        let verdict = parts.extensions.get::<Verdict>();
        error.code = verdict.and_then(Verdict::code).map(ToString::to_string);
    }
    let body = serde_json::to_vec(&WrappedError { error }).unwrap_or_default();
    for name in [header::CONTENT_ENCODING, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    Response::from_parts(parts, body.into())
}

/// Reads a body up to the bound. If it breaks off, what was read is used, since there is still a status to report.
async fn read(mut body: Body) -> BytesMut {
    let mut bytes = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        let room = MOST - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() >= room {
            break;
        }
    }
    bytes
}

fn is_coded(headers: &HeaderMap) -> bool {
    let coding = headers.get(header::CONTENT_ENCODING);
    coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The error in a body of any shape: another provider's object, a list of one, or a text.
fn error(bytes: &[u8], status: StatusCode) -> ApiError {
    let json = serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let top = json.get(0).unwrap_or(&json);
    let inner = top.get("error").filter(|error| !error.is_null()).unwrap_or(top);
    let message = [inner, &inner["message"], &top["message"], &inner["detail"]]
        .into_iter()
        .find_map(Value::as_str)
        .map_or_else(|| String::from_utf8_lossy(bytes), Cow::Borrowed);
    let message = match message.trim() {
        "" => return said_nothing(status),
        text => text.to_owned(),
    };
    let word = |name: &str| match &inner[name] {
        Value::String(word) => Some(word.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let kind = word("type").or_else(|| word("status"));
    let param = word("param");
    ApiError { message, r#type: kind, param, code: word("code"), ..ApiError::default() }
}

fn said_nothing(status: StatusCode) -> ApiError {
    let message = status.canonical_reason().unwrap_or("no reason was given").into();
    ApiError { message, ..ApiError::default() }
}
