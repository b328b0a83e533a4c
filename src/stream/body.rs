//! The body of every response: bytes known in full, or a monitored stream.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Full, combinators::BoxBody};

use super::MonitoredBody;
use crate::{
    BoxError, Error,
    attempt_log::{BodyEnd, CallId},
    outcome::Outcome,
};

/// A response body: bytes known in full, or a monitored stream.
///
/// It is `Send + Sync` and yields [`Bytes`]. It ends in exactly one [`BodyEnd`], also when the body is dropped before its end.
/// Everything that waits for the end of the body (a breaker's permit, a limit's permit, a span) is notified through
/// [`on_end`](Self::on_end).
pub struct Body(Inner);

enum Inner {
    Full(Option<Bytes>),
    Guarded(Box<MonitoredBody>),
}

// === impl Body ===

impl Body {
    /// Creates an empty body.
    pub fn empty() -> Self {
        Self(Inner::Full(None))
    }

    /// Wraps a streamed body.
    ///
    /// Errors of other types become [`Outcome::Truncated`] with the original as their source.
    pub fn wrap<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + Sync + 'static,
        B::Error: Into<BoxError>,
    {
        Self::boxed(body.map_err(own).boxed())
    }

    /// Wraps a streamed body whose errors are [`Error`].
    pub(crate) fn boxed(body: BoxBody<Bytes, Error>) -> Self {
        Self(Inner::Guarded(Box::new(MonitoredBody::new(body))))
    }

    /// Calls `hook` once with the ending of the body: at once for bytes known in full, else when the last frame was handed on,
    /// the body failed, or it was dropped.
    pub fn on_end(&mut self, hook: impl FnOnce(&BodyEnd) + Send + Sync + 'static) {
        match &mut self.0 {
            Inner::Full(_) => hook(&BodyEnd::Done),
            Inner::Guarded(guard) => guard.at_end().call(Box::new(hook)),
        }
    }

    /// Sets the call whose answer the body is: events during its reading belong to this call.
    pub(crate) fn set_call(&mut self, call: CallId) {
        if let Inner::Guarded(guard) = &mut self.0 {
            guard.set_call(call);
        }
    }

    /// The bytes, if they are known in full.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Inner::Full(bytes) => Some(bytes.as_deref().unwrap_or_default()),
            Inner::Guarded(_) => None,
        }
    }

    /// The bytes, shared, if they are known in full.
    pub(crate) fn bytes(&self) -> Option<Bytes> {
        match &self.0 {
            Inner::Full(bytes) => Some(bytes.clone().unwrap_or_default()),
            Inner::Guarded(_) => None,
        }
    }

    /// The monitor of the body; bytes known in full are put under one.
    pub(crate) fn guarded(&mut self) -> &mut MonitoredBody {
        if let Inner::Full(bytes) = &mut self.0 {
            let bytes = Full::new(bytes.take().unwrap_or_default());
            *self = Self::wrap(bytes);
        }
        match &mut self.0 {
            Inner::Guarded(guard) => guard,
            Inner::Full(_) => unreachable!("it was put under a guard just above"),
        }
    }

    /// The monitor of a streamed body.
    pub(crate) fn guard(&mut self) -> Option<&mut MonitoredBody> {
        match &mut self.0 {
            Inner::Full(_) => None,
            Inner::Guarded(guard) => Some(guard),
        }
    }
}

/// Returns an [`Error`] unchanged, and wraps any other error in one.
fn own(error: impl Into<BoxError>) -> Error {
    match error.into().downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => Error::new(Outcome::Truncated).with_source(other),
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Inner::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Guarded(guard) => {
                let _call = guard.call().map(CallId::enter);
                guard.poll_frame(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Full(bytes) => bytes.is_none(),
            Inner::Guarded(guard) => guard.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Inner::Guarded(guard) => guard.size_hint(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Full(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Full(bytes) => write!(f, "Body({} bytes)", bytes.as_ref().map_or(0, Bytes::len)),
            Inner::Guarded(guard) => guard.fmt(f),
        }
    }
}
