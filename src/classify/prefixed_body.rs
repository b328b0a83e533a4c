//! A body whose beginning was read ahead: replays those frames, then continues with the rest.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::{Body, Error};

/// Frames that were read ahead, followed by the rest of the body, the error that occurred, or nothing.
pub(super) struct PrefixedBody {
    front: VecDeque<Frame<Bytes>>,
    failure: Option<Error>,
    rest: Option<Body>,
}

// === impl PrefixedBody ===

impl PrefixedBody {
    pub(super) fn new(front: VecDeque<Frame<Bytes>>) -> Self {
        Self { front, failure: None, rest: None }
    }

    /// Returns the error to the reader after the frames.
    pub(super) fn failing(mut self, error: Error) -> Self {
        self.failure = Some(error);
        self
    }

    pub(super) fn then(mut self, rest: Body) -> Self {
        self.rest = Some(rest);
        self
    }
}

impl HttpBody for PrefixedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.front.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let ended = self.rest.as_ref().is_none_or(|rest| rest.is_end_stream());
        ended && self.front.is_empty() && self.failure.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let front: usize = self.front.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        let rest = match (&self.rest, &self.failure) {
            (Some(rest), _) => rest.size_hint(),
            (None, Some(_)) => SizeHint::default(),
            (None, None) => SizeHint::with_exact(0),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(front as u64));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(front as u64));
        }
        hint
    }
}
