//! One request and its response.

use std::{convert::Infallible, sync::Arc};

use axum::{Router, body::Body, extract::State, middleware, routing};
use bytes::Bytes;
use evenkeel::{
    CallOptions, ConfigError,
    context::AttemptLog,
    dialect::{Dialect, RequestInfo},
    stream::{ErrorTailBody, decode_response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
    request::Parts,
};

use super::{
    admit::admit,
    cut::CutBody,
    errors::{GatewayError, last_event},
    headers,
};
use crate::{
    access::Caller,
    gateway::Gateway,
    health,
    reload::Current,
    server::{DrainEnd, Lifecycle},
};

/// The header that names the target or fallback that answered.
pub(crate) const SERVED_BY: HeaderName = HeaderName::from_static("evenkeel-served-by");
/// The header with the number of requests that were sent to upstreams.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("evenkeel-attempts");

/// The methods that are passed on, besides those that only an upstream knows.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The paths of the gateway.
pub(crate) fn router(current: Current, lifecycle: Lifecycle) -> Router {
    Router::new()
        .route(health::HEALTHZ, routing::any(health::healthz))
        .route(health::READYZ, routing::any(async move || health::readyz(&lifecycle)))
        .fallback(pass)
        .layer(middleware::from_fn_with_state(current.clone(), admit))
        .with_state(current)
}

async fn pass(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let options = CallOptions::from_headers(&parts.headers);
    let dialect = headers::caller_dialect(&parts);
    if headers::is_websocket(&parts.headers) {
        return websocket_refused(dialect);
    }
    if matches!(parts.method, Method::CONNECT | Method::TRACE) {
        return method_refused(dialect);
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

/// The answer to CONNECT, which asks for a tunnel, and to TRACE, which would show a caller the headers that are added on the way.
fn method_refused(dialect: Dialect) -> Response<Body> {
    let message = format!("the method is not supported; allowed are {METHODS}");
    let error = GatewayError::new(StatusCode::METHOD_NOT_ALLOWED, "bad_method", message);
    let mut response = error.into_response(dialect);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
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
        let caller = parts.extensions.get::<Arc<Caller>>().cloned();
        let options = match &caller {
            Some(caller) => {
                caller.bounded(options, &parts.headers).map_err(GatewayError::refused)?
            }
            None => options,
        };
        let head_only = parts.method == Method::HEAD;
        let end = parts.extensions.remove::<DrainEnd>();
        let prepared = self.prepare(parts, body, options).await?;
        let large = prepared.is_large();
        let sent = self.send(prepared);
        let (response, info) = match large {
            true => self.bounds.work.run(sent).await?,
            false => sent.await?,
        };
        let response = self.response(response, &info, end);
        Ok(if head_only { bodyless(response) } else { response })
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
    fn response(
        &self,
        response: evenkeel::Response,
        info: &RequestInfo,
        end: Option<DrainEnd>,
    ) -> Response<Body> {
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
                let body = match end {
                    Some(end) => evenkeel::Body::wrap(CutBody::new(body, end)),
                    None => body,
                };
                let tail = ErrorTailBody::new(body, info).describe(last_event);
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

/// A response to HEAD, or one with a status that has no body. Its `content-length`, if any, stays, and none is added.
fn bodyless(response: Response<Body>) -> Response<Body> {
    let nothing = futures_util::stream::empty::<Result<Bytes, Infallible>>();
    response.map(|_| Body::from_stream(nothing))
}
