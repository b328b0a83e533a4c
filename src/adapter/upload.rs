//! Reads the streamed body of a request ahead, so that the request can be sent again.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, timeout_at};

use crate::{Error, outcome::Outcome};

/// How far the streamed body of a request is read ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct UploadLimit {
    /// The most that is waited for, in bytes; none by default.
    pub(super) buffer: usize,
    /// Until when it is waited for.
    pub(super) until: Instant,
    /// The most that is taken of what is there without a wait.
    pub(super) at_hand: usize,
}

/// A body that was read ahead.
pub(super) enum Upload {
    Whole(Bytes),
    /// It is longer than the limit, or slower: what was read stands before the rest.
    Streamed(reqwest::Body),
}

/// What was read of a body, followed by the rest.
struct ReadAhead {
    front: VecDeque<Frame<Bytes>>,
    rest: reqwest::Body,
}

/// The most that is taken of a form whose parts are in memory, in bytes: the longest file that the APIs take is 25 MB.
const FORM: usize = 32 * 1024 * 1024;
/// The most frames that are read ahead: a body of empty ones has no end.
const FRAMES: usize = 65_536;

// === impl UploadLimit ===

impl UploadLimit {
    /// The limit for a request with these headers. A form is a stream for reqwest even if all its parts are in memory.
    pub(super) fn of(headers: &HeaderMap, buffer: usize, until: Instant) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
        let form = kind.is_some_and(|kind| kind.starts_with(b"multipart/form-data"));
        let at_hand = if form { FORM.max(buffer) } else { buffer };
        Self { buffer, until, at_hand }
    }

    /// Reads a body ahead as far as it may be.
    ///
    /// # Errors
    ///
    /// If the caller's body fails: nothing was sent.
    pub(super) async fn read(self, body: reqwest::Body) -> Result<Upload, Error> {
        let mut read = ReadAhead { front: VecDeque::new(), rest: body };
        let (mut size, mut waited) = (0, false);
        for _ in 0..FRAMES {
            let most = if waited { self.buffer } else { self.at_hand };
            let rest = usize::try_from(read.rest.size_hint().lower()).unwrap_or(usize::MAX);
            if most == 0 || size > most || rest > most - size {
                break;
            }
            let frame = match read.at_hand().await {
                Poll::Ready(frame) => frame,
                Poll::Pending if size > self.buffer || self.buffer == 0 => break,
                Poll::Pending => {
                    waited = true;
                    match timeout_at(self.until, read.next()).await {
                        Ok(frame) => frame,
                        Err(_) => break,
                    }
                }
            };
            let Some(frame) = frame else { return Ok(Upload::Whole(read.concat())) };
            let frame = frame.map_err(|error| Error::new(Outcome::Cancelled).with_source(error))?;
            let length = frame.data_ref().map(Bytes::len);
            size += length.unwrap_or_default();
            if length != Some(0) {
                read.front.push_back(frame);
            }
            if length.is_none() {
                // Trailers, which only a stream can have.
                break;
            }
        }
        Ok(Upload::Streamed(match read.front.is_empty() {
            true => read.rest,
            false => reqwest::Body::wrap(read),
        }))
    }
}

// === impl ReadAhead ===

type Next = Option<Result<Frame<Bytes>, reqwest::Error>>;

impl ReadAhead {
    /// The next frame of the rest.
    async fn next(&mut self) -> Next {
        poll_fn(|cx| Pin::new(&mut self.rest).poll_frame(cx)).await
    }

    /// The next frame of the rest, if it is there.
    async fn at_hand(&mut self) -> Poll<Next> {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut self.rest).poll_frame(cx))).await
    }

    fn concat(self) -> Bytes {
        let mut data: VecDeque<_> =
            self.front.into_iter().filter_map(|frame| frame.into_data().ok()).collect();
        match data.len() {
            0 | 1 => data.pop_front().unwrap_or_default(),
            _ => {
                let mut whole = BytesMut::with_capacity(data.iter().map(Bytes::len).sum());
                data.into_iter().for_each(|data| whole.extend_from_slice(&data));
                whole.freeze()
            }
        }
    }
}

impl HttpBody for ReadAhead {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next> {
        match self.front.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.front.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let front: usize = self.front.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        let (front, rest) = (front as u64, self.rest.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(front));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(front)) {
            hint.set_upper(upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests;
