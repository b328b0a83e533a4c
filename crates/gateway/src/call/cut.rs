//! A stream that is cut at the end of the drain.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use evenkeel::{Body, Error, outcome::Outcome};
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::server::DrainEnd;

/// The body of a stream, which fails with [`ShuttingDown`] at the end of the drain.
pub(super) struct CutBody {
    inner: Body,
    /// `None` once it was reached.
    end: Mutex<Option<End>>,
}

type End = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The process ends, and the drain time is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShuttingDown;

// === impl CutBody ===

impl CutBody {
    pub(super) fn new(inner: Body, end: DrainEnd) -> Self {
        Self { inner, end: Mutex::new(Some(Box::pin(end.reached()))) }
    }

    /// Whether the end of the drain is reached now.
    fn is_cut(&mut self, cx: &mut Context<'_>) -> bool {
        let end = self.end.get_mut().unwrap_or_else(PoisonError::into_inner);
        let cut = end.as_mut().is_some_and(|reached| reached.as_mut().poll(cx).is_ready());
        if cut {
            *end = None;
        }
        cut
    }
}

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // What has arrived is handed on first.
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Pending if self.is_cut(cx) => {
                let outcome = Outcome::NotSent { retry_in: None };
                Poll::Ready(Some(Err(Error::new(outcome).with_source(ShuttingDown))))
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl fmt::Debug for CutBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CutBody")
    }
}

// === impl ShuttingDown ===

impl fmt::Display for ShuttingDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the gateway is shutting down")
    }
}

impl std::error::Error for ShuttingDown {}
