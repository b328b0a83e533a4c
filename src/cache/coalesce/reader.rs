//! The response to one waiting caller, and its body, read at a position of its own.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};

use super::waiter::Waiter;
use crate::{
    Body, Error, Response,
    coding::Codings,
    context::AttemptLog,
    dialect::{RequestInfo, StreamMonitor},
    outcome::{ErrorCodeTable, Verdict},
    telemetry::AnswerSource,
};

/// The body of one caller.
pub(super) struct Reader {
    waiter: Waiter,
    at: usize,
    over: bool,
}

// === impl Waiter ===

impl Waiter {
    /// The response, once its head is there.
    pub(in crate::cache) async fn into_response(
        self,
        info: &RequestInfo,
        attempt_log: &AttemptLog,
    ) -> Result<Response, Error> {
        let shared = !self.first;
        let result = poll_fn(|cx| self.poll(cx, |state| state.copy(self.first))).await;
        if self.flight.attempt_log.all_failed() {
            attempt_log.set_all_failed();
        }
        let (mut parts, body) = result?;
        let success = parts.extensions.get().is_some_and(|it: &Verdict| it.outcome().is_success());
        if let Some(fallback) = self.flight.attempt_log.served_by().filter(|_| success) {
            attempt_log.answered_by(fallback, self.flight.attempt_log.degraded());
        }
        if shared {
            parts.extensions.insert(AnswerSource::Shared);
        }
        let body = body.unwrap_or_else(|| {
            let mut body = Body::wrap(Reader::new(self));
            body.guarded().attempt_log(attempt_log.clone());
            // Lets a caller stop at the last event of the API, as usual.
            let dialect = info.dialect().filter(|_| success && info.stream());
            // The first reader of the stream has already classified its errors.
            let watched =
                dialect.map(|dialect| StreamMonitor::new(dialect, &ErrorCodeTable::default()));
            body.guarded().watch(watched);
            body.guarded().decode(&Codings::of(&parts.headers));
            body
        });
        Ok(Response::from_parts(parts, body))
    }
}

// === impl Reader ===

impl Reader {
    pub(super) fn new(waiter: Waiter) -> Self {
        Self { waiter, at: 0, over: false }
    }
}

impl HttpBody for Reader {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let (at, first) = (self.at, self.waiter.first);
        self.waiter.poll(cx, |state| state.body.read(at, first)).map(|piece| {
            self.at += 1;
            self.over = !matches!(piece, Some(Ok(_)));
            piece.map(|piece| piece.map(Frame::from))
        })
    }
}
