//! Asks who may use the gateway before anything else answers, and turns a refusal into an error in the caller's dialect.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::{errors::GatewayError, headers};
use crate::{access::Refusal, gateway::Gateway, health};

/// A body that holds the permit of its call until it ends.
#[derive(Debug)]
struct HeldBody {
    body: Body,
    permit: Option<OwnedSemaphorePermit>,
}

/// Passes a request on if it is allowed.
pub(super) async fn admit(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let dialect = headers::caller_dialect(&parts);
    let refused = |refusal: Refusal| GatewayError::refused(refusal).into_response(dialect);
    let page = match gateway.access.admit_page(&parts) {
        Ok(page) => page,
        Err(refusal) => return refused(refusal),
    };
    if let Some(headers) = page.preflight(&parts) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.headers_mut() = headers;
        return response;
    }
    let mut permit = None;
    if !health::PATHS.contains(&parts.uri.path()) {
        // A WebSocket is refused with the protocol to use, at any path.
        let passes = headers::is_websocket(&parts.headers);
        match gateway.access.admit_call(&mut parts, passes).await {
            Ok(admission) => {
                admission.caller.map(|caller| parts.extensions.insert(caller));
                permit = admission.permit;
            }
            Err(refusal) => {
                let mut response = refused(refusal);
                page.mark(response.headers_mut());
                return response;
            }
        }
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    page.mark(response.headers_mut());
    match permit.filter(|_| !response.body().is_end_stream()) {
        None => response,
        permit => response.map(|body| Body::new(HeldBody { body, permit })),
    }
}

// === impl HeldBody ===

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // A caller that has the last byte may send its next call at once.
        let last = self.body.is_end_stream() || self.body.size_hint().exact() == Some(0);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) || (polled.is_ready() && last) {
            self.permit = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
