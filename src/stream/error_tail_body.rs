//! The body of a stream that reports its failure as its last event.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::{
    Body, Error,
    dialect::{ErrorReply, ErrorTail, RequestInfo},
};

/// The body of a stream that reports its failure as its last event, in the dialect of the request, and then ends normally.
///
/// For servers, whose clients cannot see an [`Error`] of a body. See [`ErrorTail`].
///
/// The error remains an error of the body if the stream cannot contain it: on a path of no known dialect, and in a JSON array
/// that has not begun.
///
/// ```
/// use evenkeel::{Body, Error, dialect::{ErrorReply, RequestInfo}, outcome::Outcome, stream::ErrorTailBody};
///
/// # fn of(response: http::Response<Body>, info: &RequestInfo) -> http::Response<ErrorTailBody> {
/// response.map(|body| {
///     ErrorTailBody::new(body, info).describe(|error: &Error| {
///         ErrorReply::of(error.outcome(), "upstream_failed", error.to_string())
///     })
/// })
/// # }
/// ```
pub struct ErrorTailBody {
    /// The stream; dropped as soon as it has ended or failed.
    inner: Option<Body>,
    tail: Option<ErrorTail>,
    describe: Box<Describe>,
}

type Describe = dyn Fn(&Error) -> ErrorReply + Send + Sync;

// === impl ErrorTailBody ===

impl ErrorTailBody {
    /// Creates the body of the answer to a request. Its error has the code `evenkeel_` with the name of the outcome, and the
    /// message of the error.
    pub fn new(body: Body, info: &RequestInfo) -> Self {
        Self { inner: Some(body), tail: ErrorTail::new(info), describe: Box::new(describe) }
    }

    /// Sets how an error is described. The closure is called at most once, when the stream breaks off; it must be quick and must
    /// not block.
    #[must_use]
    pub fn describe(self, describe: impl Fn(&Error) -> ErrorReply + Send + Sync + 'static) -> Self {
        Self { describe: Box::new(describe), ..self }
    }

    /// Returns the part of `data` that is handed on.
    fn push(&mut self, data: Bytes) -> Bytes {
        match &mut self.tail {
            Some(tail) => tail.push(data),
            None => data,
        }
    }

    /// Handles a failed stream: returns its last bytes, or the error if the stream cannot contain it.
    fn fail(&mut self, error: Error) -> Result<Bytes, Error> {
        self.inner = None;
        let Self { tail, describe, .. } = self;
        let last = tail.as_mut().and_then(|tail| tail.fail(&describe(&error)));
        last.ok_or(error)
    }

    /// Handles a stream that has ended normally: returns the remaining bytes.
    fn finish(&mut self) -> Bytes {
        self.inner = None;
        self.tail.as_mut().map(ErrorTail::finish).unwrap_or_default()
    }
}

fn describe(error: &Error) -> ErrorReply {
    let outcome = error.outcome();
    let code = format!("evenkeel_{}", outcome.name());
    ErrorReply::of(outcome, code, format!("evenkeel: {error}"))
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
                    Ok(data) => self.push(data),
                    // Trailers of the upstream only concern the connection to it.
                    Err(_) => continue,
                },
                Some(Err(error)) => return Poll::Ready(Some(self.fail(error).map(Frame::data))),
                None => self.finish(),
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
        // An error may follow, whatever length the upstream declared.
        SizeHint::default()
    }
}

impl fmt::Debug for ErrorTailBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorTailBody").field("open", &self.inner.is_some()).finish_non_exhaustive()
    }
}
