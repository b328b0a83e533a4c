//! Converts requests and responses from reqwest and back.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::BodyExt;
use reqwest::Url;

use super::{
    errors::{cut, failed},
    upload::{Upload, UploadLimit},
};
use crate::{
    Body, Error, Request, Response,
    context::{CallContext, Deadline},
    into_call::sealed::UploadBuffer,
    outcome::Outcome,
    sync::lock_std as lock,
};

/// A streamed request body: it can be sent only once, by the first attempt.
#[derive(Clone)]
struct StreamingBody(Arc<Mutex<Option<reqwest::Body>>>);

/// The URL of the response, as reqwest reports it.
#[derive(Clone)]
struct BaseUrl(Url);

// === requests ===

/// Converts the caller's request. A body that is known in full is shared, not copied; a streamed one is read ahead as far as the
/// client is set to, or kept in the extensions.
///
/// Its timeout is removed and becomes a deadline: reqwest would use it to end a stream under way.
pub(crate) async fn from_reqwest(
    mut request: reqwest::Request,
    uploads: UploadBuffer,
) -> Result<Request, Error> {
    let timeout = request.timeout_mut().take().map(Deadline::within);
    let known = request.body().is_none_or(|body| body.as_bytes().is_some());
    let request: http::Request<reqwest::Body> = request.try_into().map_err(failed)?;
    let (parts, body) = request.into_parts();
    let mut request = Request::from_parts(parts, Bytes::new());
    if let Some(timeout) = timeout {
        no_later(&mut request, timeout);
    }
    if known {
        *request.body_mut() = body.collect().await.map_err(failed)?.to_bytes();
        return Ok(request);
    }
    match upload(&mut request, body, uploads).await? {
        Upload::Whole(bytes) => *request.body_mut() = bytes,
        Upload::Streamed(body) => {
            request.extensions_mut().insert(StreamingBody(Arc::new(Mutex::new(Some(body)))));
            CallContext::of(&mut request).non_replayable = true;
        }
    }
    Ok(request)
}

/// Reads a streamed body ahead. The deadline of the call begins before that, if it may have to wait.
async fn upload(
    request: &mut Request,
    body: reqwest::Body,
    uploads: UploadBuffer,
) -> Result<Upload, Error> {
    let UploadBuffer { max_bytes: buffer, usual_time } = uploads;
    let own = CallContext::deadline(request);
    let deadline = own.unwrap_or_else(|| Deadline::within(usual_time));
    if buffer > 0 {
        CallContext::of(request).deadline = Some(deadline);
    }
    let headers = request.headers();
    UploadLimit::of(headers, buffer, deadline.instant()).read(body).await
}

/// Limits the call to that deadline, unless it has an earlier one. It is not set as a [`Deadline`] of the caller, since clients
/// put long timeouts into all requests.
pub(super) fn no_later(request: &mut Request, than: Deadline) {
    let own = request.extensions().get::<Deadline>().copied();
    if let Some(own) = own {
        request.extensions_mut().insert(own.min(than));
    }
    CallContext::of(request).deadline = Some(own.map_or(than, |own| own.min(than)));
}

/// Converts a request for the wire.
pub(crate) fn to_wire(request: Request) -> Result<reqwest::Request, Error> {
    let (mut parts, bytes) = request.into_parts();
    let body = match parts.extensions.remove::<StreamingBody>() {
        Some(once) => lock(&once.0).take().ok_or_else(|| {
            Error::new(Outcome::NotSent { retry_in: None }).with_source("the body was sent before")
        })?,
        None => bytes.into(),
    };
    http::Request::from_parts(parts, body).try_into().map_err(failed)
}

// === responses ===

/// Converts a response from the wire, with its URL.
pub(crate) fn from_wire(response: reqwest::Response) -> Response {
    let url = response.url().clone();
    let response: http::Response<reqwest::Body> = response.into();
    let (mut parts, body) = response.into_parts();
    parts.extensions.insert(BaseUrl(url));
    Response::from_parts(parts, Body::boxed(body.map_err(cut).boxed()))
}

/// Converts a response for the caller of reqwest. A local answer has the URL of the request.
pub(crate) fn into_reqwest(response: Response, asked: Url) -> reqwest::Response {
    let (mut parts, body) = response.into_parts();
    let url = parts.extensions.remove::<BaseUrl>().map_or(asked, |from| from.0);
    let mut response = http::Response::from_parts(parts, reqwest::Body::wrap(body));
    response.extensions_mut().extend(url_extension(url));
    response.into()
}

/// The extension in which reqwest keeps a response's URL, which only its builder can create.
fn url_extension(url: Url) -> http::Extensions {
    use reqwest::ResponseBuilderExt;
    let response = http::Response::builder().url(url).body(());
    response.map(|response| response.into_parts().0.extensions).unwrap_or_default()
}

impl fmt::Debug for StreamingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}
