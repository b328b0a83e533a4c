//! A stream whose failure is told within it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use evenkeel::{Body, Error, dialect::Dialect};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::{edge::Edge, errors::Said};

/// A stream whose failure is told within it: the head was sent, so the last event is the error, in the caller's language,
/// and the body ends as HTTP says it should, so that every client reads it.
///
/// Half an event is held back until its rest has come: no client can use it, and one that was cut would take the error
/// with it. The bytes of a stream that ends well are all handed on as they came.
pub(crate) struct Tail {
    inner: Option<Body>,
    language: Dialect,
    edge: Edge,
    held: BytesMut,
    /// More came of one event than is held back: what of it was handed on has to be ended first.
    half: bool,
}

/// As much of one event is held back. Larger ones carry pictures.
const MOST: usize = 256 * 1024;

// === impl Tail ===

impl Tail {
    pub(crate) fn new(inner: Body, language: Dialect, edge: Edge) -> Self {
        Self { inner: Some(inner), language, edge, held: BytesMut::new(), half: false }
    }

    /// The whole events of what has come.
    fn whole(&mut self, data: Bytes) -> Bytes {
        let new = data.len();
        if self.held.is_empty() {
            let whole = self.edge.last(&data, new);
            self.half &= whole == 0;
            let mut data = data;
            let out = data.split_to(whole);
            self.held.extend_from_slice(&data);
            return self.spill(out);
        }
        self.held.extend_from_slice(&data);
        let whole = self.edge.last(&self.held, new);
        self.half &= whole == 0;
        let out = self.held.split_to(whole).freeze();
        self.spill(out)
    }

    /// Lets go of an event that is larger than what is held back.
    fn spill(&mut self, out: Bytes) -> Bytes {
        if self.held.len() <= MOST {
            return out;
        }
        self.half = true;
        let rest = self.held.split().freeze();
        if out.is_empty() { rest } else { [out, rest].concat().into() }
    }

    /// The error as the last event; an error still where the stream cannot hold one.
    fn last(&self, error: Error) -> Result<Bytes, Error> {
        let said = Said::of(&error);
        let event = match &self.edge {
            Edge::Array(array) if !array.is_open() || self.half => return Err(error),
            Edge::Array(array) => said.element(array.has_elements()),
            Edge::Events if self.half => format!("\n\n{}", said.event(self.language)),
            Edge::Lines if self.half => format!("\n{}", said.event(self.language)),
            Edge::Events | Edge::Lines => said.event(self.language),
        };
        Ok(event.into())
    }
}

impl HttpBody for Tail {
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
                    Ok(data) => self.whole(data),
                    // Trailers of an upstream's are for the hop to it.
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    self.inner = None;
                    tracing::warn!(
                        outcome = error.outcome().name(),
                        "a stream broke after its head"
                    );
                    return Poll::Ready(Some(self.last(error).map(Frame::data)));
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
        // An error may follow, whatever the upstream said.
        SizeHint::default()
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tail({:?}, {} bytes held back)", self.language, self.held.len())
    }
}
