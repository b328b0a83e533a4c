//! A response body of any type, as one that threads can share.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use sync_wrapper::SyncWrapper;

use super::transport_error::cut;
use crate::{BoxError, Error};

pin_project! {
    /// A body that need not be `Sync`, with its errors mapped to those of this crate. What a shared reference answers is read
    /// ahead, after each frame.
    pub(super) struct SyncBody<R> {
        #[pin]
        body: SyncWrapper<R>,
        ended: bool,
        hint: SizeHint,
    }
}

// === impl SyncBody ===

impl<R: HttpBody> SyncBody<R> {
    pub(super) fn new(body: R) -> Self {
        let (ended, hint) = (body.is_end_stream(), body.size_hint());
        Self { body: SyncWrapper::new(body), ended, hint }
    }
}

impl<R> HttpBody for SyncBody<R>
where
    R: HttpBody,
    R::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.project();
        let mut body = this.body.get_pin_mut();
        let frame = ready!(body.as_mut().poll_frame(cx));
        // A body that has ended or failed is not asked again.
        *this.ended = !matches!(frame, Some(Ok(_))) || body.is_end_stream();
        *this.hint = if *this.ended { SizeHint::with_exact(0) } else { body.size_hint() };
        Poll::Ready(frame.map(|frame| match frame {
            Ok(frame) => Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))),
            Err(error) => Err(cut(error.into())),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}
