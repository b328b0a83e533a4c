//! The body of a stream that reports its failure as its last event.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use evenkeel::{Body, Error, dialect::Dialect};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::{errors::GatewayError, event_boundary::EventBoundary};

/// A stream that reports its failure as its last event. The head was sent before, so the error is an event in the caller's
/// dialect, and the body ends as HTTP requires, so that every client reads it.
///
/// An incomplete event is held back until it is complete: no client can use it, and an error event after half of another
/// would be lost. The bytes of a stream that does not fail are passed on unchanged.
pub(crate) struct ErrorTailBody {
    inner: Option<Body>,
    dialect: Dialect,
    boundary: EventBoundary,
    held: BytesMut,
    /// An event was larger than what is held back, and a part of it was passed on: it has to be ended before an error.
    partial: bool,
}

/// The most bytes of an incomplete event that are held back. Larger events carry images.
const MAX_HELD: usize = 256 * 1024;

// === impl ErrorTailBody ===

impl ErrorTailBody {
    pub(crate) fn new(inner: Body, dialect: Dialect, boundary: EventBoundary) -> Self {
        Self { inner: Some(inner), dialect, boundary, held: BytesMut::new(), partial: false }
    }

    /// Adds data; the complete events.
    fn complete_events(&mut self, data: Bytes) -> Bytes {
        let new = data.len();
        if self.held.is_empty() {
            let whole = self.boundary.last_end(&data, new);
            self.partial &= whole == 0;
            let mut data = data;
            let out = data.split_to(whole);
            self.held.extend_from_slice(&data);
            return self.spill(out);
        }
        self.held.extend_from_slice(&data);
        let whole = self.boundary.last_end(&self.held, new);
        self.partial &= whole == 0;
        let out = self.held.split_to(whole).freeze();
        self.spill(out)
    }

    /// Adds to `out` what is held back of an event that is too large.
    fn spill(&mut self, out: Bytes) -> Bytes {
        if self.held.len() <= MAX_HELD {
            return out;
        }
        self.partial = true;
        let rest = self.held.split().freeze();
        if out.is_empty() { rest } else { [out, rest].concat().into() }
    }

    /// The error as the last event; an error where the stream cannot have one.
    fn error_event(&self, error: Error) -> Result<Bytes, Error> {
        let own = GatewayError::of_call(&error);
        let event = match &self.boundary {
            EventBoundary::JsonArray(array) if !array.is_open() || self.partial => {
                return Err(error);
            }
            EventBoundary::JsonArray(array) => own.to_array_element(array.has_elements()),
            EventBoundary::ServerSentEvents if self.partial => {
                format!("\n\n{}", own.to_event(self.dialect))
            }
            EventBoundary::Lines if self.partial => format!("\n{}", own.to_event(self.dialect)),
            EventBoundary::ServerSentEvents | EventBoundary::Lines => own.to_event(self.dialect),
        };
        Ok(event.into())
    }
}

impl HttpBody for ErrorTailBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
            let data = match ready!(Pin::new(inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.complete_events(data),
                    // Trailers are for the hop from the upstream.
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    self.inner = None;
                    tracing::warn!(
                        outcome = error.outcome().name(),
                        "a stream broke after its head"
                    );
                    return Poll::Ready(Some(self.error_event(error).map(Frame::data)));
                }
                None => {
                    self.inner = None;
                    self.held.split().freeze()
                }
            };
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        // An error event may follow, whatever length the upstream announced.
        SizeHint::default()
    }
}

impl fmt::Debug for ErrorTailBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorTailBody({:?}, {} bytes held back)", self.dialect, self.held.len())
    }
}
