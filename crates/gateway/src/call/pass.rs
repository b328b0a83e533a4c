//! One request and its response.

use std::{convert::Infallible, sync::Arc};

use axum::{Router, body::Body, extract::State, routing};
use bytes::Bytes;
use evenkeel::{
    CallOptions, ConfigError,
    coding::decode_request,
    context::{AttemptLog, NonReplayable},
    dialect::{Dialect, RequestInfo},
    stream::{ErrorTailBody, decode_response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
    request::Parts,
};

use super::{
    errors::{GatewayError, reply_to},
    headers,
    upload::{Upload, is_small, read_whole},
};
use crate::{health, server::Lifecycle, setup::Gateway};

/// The header that names the target or fallback that answered.
pub(crate) const SERVED_BY: HeaderName = HeaderName::from_static("evenkeel-served-by");
/// The header with the number of requests that were sent to upstreams.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("evenkeel-attempts");

/// The paths of the gateway.
pub(crate) fn router(gateway: Arc<Gateway>, lifecycle: Lifecycle) -> Router {
    Router::new()
        .route("/healthz", routing::any(health::healthz))
        .route("/readyz", routing::any(async move || health::readyz(&lifecycle)))
        .fallback(pass)
        .with_state(gateway)
}

async fn pass(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let options = CallOptions::from_headers(&parts.headers);
    let declared = options.as_ref().ok().and_then(CallOptions::declared_dialect);
    let dialect = declared.unwrap_or_else(|| headers::caller_dialect(&parts));
    if headers::is_websocket(&parts.headers) {
        return websocket_refused(dialect);
    }
    let result = match options {
        Ok(options) => gateway.pass(parts, body, options).await,
        Err(error) => Err(bad_header(&error)),
    };
    match result {
        Ok(response) => response,
        Err(error) => error.into_response(dialect),
    }
}

/// The answer to a WebSocket handshake. Clients that prefer WebSockets send the request over HTTP after a 426, which has to name
/// a protocol that is supported (RFC 9110, 15.5.22).
fn websocket_refused(dialect: Dialect) -> Response<Body> {
    let message = "WebSockets are not supported; allowed is a POST, whose answer may be streamed";
    let error = GatewayError::new(StatusCode::UPGRADE_REQUIRED, "websocket", message);
    let mut response = error.into_response(dialect);
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("HTTP/1.1"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    response
}

/// The error of an `evenkeel-` header.
fn bad_header(error: &ConfigError) -> GatewayError {
    GatewayError::new(StatusCode::BAD_REQUEST, "bad_header", format!("the header {error}"))
}

// === impl Gateway ===

impl Gateway {
    async fn pass(
        &self,
        mut parts: Parts,
        body: Body,
        options: CallOptions,
    ) -> Result<Response<Body>, GatewayError> {
        parts.uri = self.addressed(&parts)?;
        // The version is that of the caller's connection. An HTTP/1.0 request to an upstream could neither stream nor keep its
        // connection.
        parts.version = http::Version::HTTP_11;
        let head_only = parts.method == Method::HEAD;
        let known = dialect_of(&parts, &options);
        let (bytes, upload) = match known {
            Some(_) => (read_whole(body, self.body).await?, None),
            None if is_small(&body) => (read_whole(body, self.body).await?, None),
            None => (Bytes::new(), Some(Upload::new(body))),
        };
        headers::strip_request(&mut parts.headers, known.is_some());
        let mut request = Request::from_parts(parts, bytes);
        request.extensions_mut().clear();
        request.extensions_mut().insert(options);
        // It is read here as well.
        known.map(|dialect| request.extensions_mut().insert(dialect));
        if let Some(upload) = upload {
            request.extensions_mut().insert(upload);
            request.extensions_mut().insert(NonReplayable);
        }
        decode_request(&mut request);
        let info = RequestInfo::read(&request);
        let client = if known.is_some() { &self.chat } else { &self.other };
        let response = client.send(request).await.map_err(|error| GatewayError::of_call(&error))?;
        let response = self.response(response, &info);
        Ok(if head_only { bodyless(response) } else { response })
    }

    /// The URI of the upstream with the same path and query.
    fn addressed(&self, parts: &Parts) -> Result<Uri, GatewayError> {
        let wrong = || {
            let message = "the target of the request is no path; allowed is one that begins with /";
            GatewayError::new(StatusCode::BAD_REQUEST, "bad_target", message)
        };
        let path = parts.uri.path_and_query().filter(|path| path.as_str().starts_with('/'));
        let mut addressed = self.origin.clone().into_parts();
        addressed.path_and_query = Some(path.ok_or_else(wrong)?.clone());
        if parts.method == Method::CONNECT {
            return Err(wrong());
        }
        Uri::from_parts(addressed).map_err(|_| wrong())
    }

    /// The name of the target or fallback that answered: from evenkeel's headers, else from the attempt log, else the first
    /// target.
    fn fallback(&self, attempt_log: &AttemptLog, headers: &HeaderMap) -> HeaderValue {
        let fallback = attempt_log.served_by();
        let present = headers.get(SERVED_BY).cloned().filter(|_| fallback.is_some());
        let named = HeaderValue::from_str(fallback.as_deref().unwrap_or(&self.name));
        present.or(named.ok()).unwrap_or(HeaderValue::from_static("primary"))
    }

    /// The response for the caller.
    fn response(&self, response: evenkeel::Response, info: &RequestInfo) -> Response<Body> {
        let attempt_log = AttemptLog::of(response.extensions());
        let streams = response.status().is_success()
            && response.body().as_bytes().is_none()
            && info.stream()
            && info.dialect().is_some();
        // An error event may have to be added, which is plain.
        let response = if streams { decode_response(response) } else { response };
        let (mut head, body) = response.into_parts();
        head.extensions.clear();
        head.version = http::Version::HTTP_11;
        headers::strip_response(&mut head.headers);
        let fallback = self.fallback(&attempt_log, &head.headers);
        head.headers.insert(SERVED_BY, fallback);
        head.headers.insert(ATTEMPTS, HeaderValue::from(attempt_log.sent()));
        let streamed = head.status.is_success() && info.stream() && body.as_bytes().is_none();
        let coded = head.headers.get(header::CONTENT_ENCODING).is_some_and(|it| it != "identity");
        match info.dialect().filter(|_| streamed && !coded) {
            Some(_) => {
                // An error event may make the body longer.
                head.headers.remove(header::CONTENT_LENGTH);
                let tail = ErrorTailBody::new(body, info).describe(|error| {
                    tracing::warn!(
                        outcome = error.outcome().name(),
                        "a stream broke after its head"
                    );
                    reply_to(error)
                });
                Response::from_parts(head, Body::new(tail))
            }
            None if matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) => {
                bodyless(Response::from_parts(head, Body::empty()))
            }
            // A body that fails closes the connection, so that the caller sees that it is incomplete.
            None => Response::from_parts(head, Body::new(body)),
        }
    }
}

/// The dialect of a call to a model: the declared one, except at the path of another known operation, else that of the path.
fn dialect_of(parts: &Parts, options: &CallOptions) -> Option<Dialect> {
    let path = parts.uri.path();
    let declared = options.declared_dialect().filter(|_| !Dialect::is_elsewhere(path));
    declared.or_else(|| Dialect::of_path(path)).filter(|_| parts.method == Method::POST)
}

/// A response to HEAD, or one with a status that has no body. Its `content-length`, if any, stays, and none is added.
fn bodyless(response: Response<Body>) -> Response<Body> {
    let nothing = futures_util::stream::empty::<Result<Bytes, Infallible>>();
    response.map(|_| Body::from_stream(nothing))
}
