//! The answer to one request of a connection.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;
use tower::ServiceExt;

use super::{connections::Place, drain_end::DrainEnd, request_body::RequestBody};
use crate::{
    call::{Refusal, dialect_of_caller},
    health,
};

/// What answers the requests of a connection.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) router: Router,
    pub(super) drain_end: DrainEnd,
}

/// The body of an answer. The call ends with it.
#[derive(Debug)]
pub(super) struct AnswerBody {
    inner: Body,
    call: CallInProgress,
}

/// An answer in progress.
type Responding = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
struct CallInProgress(Arc<Place>);

// === impl Answers ===

impl Answers {
    /// Answers a request. hyper keeps the space of the future for as long as the connection lives, so that it is boxed.
    pub(super) fn respond(&self, place: Arc<Place>, request: Request<Incoming>) -> Responding {
        let answers = self.clone();
        Box::pin(async move {
            let call = CallInProgress::begin(place);
            let response = answers.answer(&call.0, request).await?;
            Ok(response.map(|inner| AnswerBody { inner, call }))
        })
    }

    async fn answer(
        self,
        place: &Arc<Place>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let (parts, incoming) = request.into_parts();
        let dialect = dialect_of_caller(&parts);
        let is_health = health::PATHS.contains(&parts.uri.path());
        let read = place.limits().read;
        let (body, watch) = RequestBody::new(incoming, &parts.headers, place.clone(), read);
        let mut request = Request::from_parts(parts, Body::new(body));
        if !is_health && !place.answers_calls().await {
            return Ok(Refusal::Busy.response(dialect));
        }
        request.extensions_mut().insert(self.drain_end.clone());
        let mut response = tokio::select! {
            biased;
            () = watch.stalled() => Refusal::SlowBody.response(dialect),
            response = self.router.oneshot(request) => response?,
            () = self.drain_end.reached() => Refusal::ShuttingDown.response(dialect),
        };
        if watch.is_held_back() || (is_health && place.is_reserved()) {
            response.headers_mut().append(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

// === impl CallInProgress ===

impl CallInProgress {
    fn begin(place: Arc<Place>) -> Self {
        place.activity().call_begins(Instant::now());
        Self(place)
    }
}

impl Drop for CallInProgress {
    fn drop(&mut self) {
        self.0.activity().call_ends(Instant::now());
    }
}

// === impl AnswerBody ===

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        ready!(self.call.0.activity().buffered().poll_room(cx));
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.call.0.activity().buffered().add(frame.data_ref().map_or(0, Bytes::len));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
