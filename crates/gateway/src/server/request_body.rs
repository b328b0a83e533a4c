//! The body of a request, which is read to its end even if nothing asks for the rest.
//!
//! An answer can be ready before the body of its request has arrived: a header is wrong, or the upstream has answered early. If the
//! rest were left in the connection, the server would have to close it; a client that has already taken the connection for its next
//! request would then lose that request, and one that is still writing might never read the answer (RFC 9112, 9.6). The rest is
//! therefore read and discarded, up to [`MAX_DISCARDED`] and [`DISCARD_TIMEOUT`].
//!
//! A client that sends `expect: 100-continue` sends no body before it is asked for. If the answer is ready first, the connection is
//! closed, and the answer says so.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{runtime::Handle, time::timeout};
use tower::ServiceExt;

use super::drain_end::DrainEnd;
use crate::call::{Refusal, dialect_of_caller};

/// The most that is read and discarded of a body that nothing asks for.
const MAX_DISCARDED: usize = 256 * 1024 * 1024;
/// The longest time for it.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// A request body. The rest of it is discarded when it is dropped.
#[derive(Debug)]
struct RequestBody {
    /// `None` once it has ended or failed.
    incoming: Option<Incoming>,
    /// Whether the client sends it only once it is asked for, which has not happened.
    held_back: Arc<AtomicBool>,
}

/// Answers a request of a connection.
pub(crate) async fn respond(
    router: Router,
    drain_end: DrainEnd,
    request: Request<Incoming>,
) -> Result<Response<axum::body::Body>, Infallible> {
    let (parts, incoming) = request.into_parts();
    let dialect = dialect_of_caller(&parts);
    let body = RequestBody::new(incoming, &parts.headers);
    let held_back = body.held_back.clone();
    let mut request = Request::from_parts(parts, axum::body::Body::new(body));
    request.extensions_mut().insert(drain_end.clone());
    let mut response = tokio::select! {
        biased;
        response = router.oneshot(request) => response?,
        () = drain_end.reached() => Refusal::ShuttingDown.response(dialect),
    };
    if held_back.load(Ordering::Relaxed) {
        response.headers_mut().append(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

// === impl RequestBody ===

impl RequestBody {
    fn new(incoming: Incoming, headers: &HeaderMap) -> Self {
        let held_back = AtomicBool::new(headers.contains_key(header::EXPECT));
        Self { incoming: Some(incoming), held_back: Arc::new(held_back) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.held_back.store(false, Ordering::Relaxed);
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let polled = Pin::new(incoming).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.incoming = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let held_back = self.held_back.load(Ordering::Relaxed);
        let rest = self.incoming.take().filter(|rest| !rest.is_end_stream() && !held_back);
        // Without a runtime the server has ended.
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(DISCARD_TIMEOUT, discard(rest)));
        }
    }
}

async fn discard(mut rest: Incoming) {
    let mut taken = 0;
    while let Some(Ok(frame)) = rest.frame().await {
        taken += frame.data_ref().map_or(0, Bytes::len);
        if taken > MAX_DISCARDED {
            break;
        }
    }
}
