//! The body of a request, which is read to its end even if nothing asks for the rest.
//!
//! An answer can be ready before the body of its request has arrived: a header is wrong, or the upstream has answered early. If the
//! rest were left in the connection, the server would have to close it; a client that has already taken the connection for its next
//! request would then lose that request, and one that is still writing might never read the answer (RFC 9112, 9.6). The rest is
//! therefore read and discarded, up to [`MAX_DISCARDED`] and [`DISCARD_TIMEOUT`].
//!
//! A client that sends `expect: 100-continue` sends no body before it is asked for. If the answer is ready first, the connection is
//! closed, and the answer says so.
//!
//! A body that stands still or dribbles ends its call: see [`BodyPace`].

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{body_pace::BodyPace, connections::Place};

/// The most that is read and discarded of a body that nothing asks for.
const MAX_DISCARDED: usize = 256 * 1024 * 1024;
/// The longest time for it.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// A request body. The rest of it is discarded when it is dropped.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// `None` once it has ended or failed.
    incoming: Option<Incoming>,
    watch: Arc<BodyWatch>,
    place: Arc<Place>,
    pace: BodyPace,
    /// While it waits for the caller: since when, and until when.
    waiting: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What the answer has to know of the body.
#[derive(Debug)]
pub(super) struct BodyWatch {
    /// Whether the client sends it only once it is asked for, which has not happened.
    held_back: AtomicBool,
    stalled: Notify,
}

// === impl BodyWatch ===

impl BodyWatch {
    pub(super) fn is_held_back(&self) -> bool {
        self.held_back.load(Ordering::Relaxed)
    }

    /// Waits until the caller has used up the time for its body. The body has no end then.
    pub(super) async fn stalled(&self) {
        self.stalled.notified().await;
    }
}

// === impl RequestBody ===

impl RequestBody {
    /// The body of a request with these headers; `limit` bounds how long it may stand still.
    pub(super) fn new(
        incoming: Incoming,
        headers: &HeaderMap,
        place: Arc<Place>,
        limit: Duration,
    ) -> (Self, Arc<BodyWatch>) {
        let held_back = AtomicBool::new(headers.contains_key(header::EXPECT));
        let watch = Arc::new(BodyWatch { held_back, stalled: Notify::new() });
        let body = Self {
            incoming: Some(incoming),
            watch: watch.clone(),
            place,
            pace: BodyPace::new(limit),
            waiting: None,
            timer: None,
        };
        (body, watch)
    }

    /// Waits for the caller, until its time is used up.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) {
        let now = Instant::now();
        let since = *self.waiting.get_or_insert(now);
        let until = since + self.pace.left();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        self.place.activity().body_waits(since);
        if timer.as_mut().poll(cx).is_ready() {
            self.watch.stalled.notify_one();
        }
    }

    /// The caller has sent something.
    fn arrived(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.pace.arrived(since.elapsed(), bytes);
            self.place.activity().body_arrives();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.watch.held_back.store(false, Ordering::Relaxed);
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let polled = Pin::new(incoming).poll_frame(cx);
        match &polled {
            Poll::Pending => self.poll_stalled(cx),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.arrived(bytes);
            }
            Poll::Ready(None | Some(Err(_))) => {
                self.arrived(0);
                (self.incoming, self.timer) = (None, None);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.arrived(0);
        let held_back = self.watch.is_held_back();
        let rest = self.incoming.take().filter(|rest| !rest.is_end_stream() && !held_back);
        // Without a runtime the server has ended.
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(DISCARD_TIMEOUT, discard(rest)));
        }
    }
}

async fn discard(mut rest: Incoming) {
    let mut taken = 0;
    while let Some(Ok(frame)) = rest.frame().await {
        taken += frame.data_ref().map_or(0, Bytes::len);
        if taken > MAX_DISCARDED {
            break;
        }
    }
}
