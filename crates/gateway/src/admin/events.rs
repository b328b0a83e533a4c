//! `GET /api/events`: snapshots as server-sent events.
//!
//! One task makes the snapshots for all readers. A reader gets the newest one when its connection has room: nothing is queued for
//! it, and its connection is closed when it takes nothing for [a while](super::listener).

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{body::Body, extract::State};
use bytes::Bytes;
use futures_util::stream;
use http::{Response, StatusCode};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep},
};

use super::{
    reply,
    snapshot::{timed, timeless},
    state::Admin,
};

/// The newest snapshot, and its readers.
#[derive(Debug)]
pub(super) struct Feed {
    newest: watch::Sender<Arc<str>>,
    /// Notified when a reader comes.
    read: Notify,
    readers: Arc<Semaphore>,
}

/// One reader.
struct Reader {
    newest: watch::Receiver<Arc<str>>,
    /// The first snapshot, which is sent at once.
    first: Option<String>,
    _place: OwnedSemaphorePermit,
}

/// The most readers.
const READERS: usize = 16;
/// The time between two snapshots while something changes, and while nothing does.
const CHANGING: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_secs(5);

// === impl Feed ===

impl Default for Feed {
    fn default() -> Self {
        let newest = watch::Sender::new(Arc::from(""));
        Self { newest, read: Notify::new(), readers: Arc::new(Semaphore::new(READERS)) }
    }
}

/// Makes the snapshots while somebody reads them. Never returns.
pub(super) async fn feed(admin: Arc<Admin>) {
    let (mut sent, mut at) = (String::new(), Instant::now());
    loop {
        sleep(CHANGING).await;
        let feed = &admin.feed;
        if feed.newest.receiver_count() == 0 {
            feed.read.notified().await;
            continue;
        }
        let snapshot = timeless(admin.clone()).await;
        if snapshot != sent || at.elapsed() >= QUIET {
            feed.newest.send_replace(event(&snapshot).into());
            (sent, at) = (snapshot, Instant::now());
        }
    }
}

/// Answers `/api/events`.
pub(super) async fn events(State(admin): State<Arc<Admin>>) -> Response<Body> {
    let feed = &admin.feed;
    let Ok(place) = feed.readers.clone().try_acquire_owned() else {
        let words = "too many readers of the events; allowed are 16";
        return reply::error(StatusCode::SERVICE_UNAVAILABLE, words);
    };
    let newest = feed.newest.subscribe();
    feed.read.notify_one();
    let first = Some(format!("retry: 2000\n{}", event(&timeless(admin.clone()).await)));
    let events = stream::unfold(Reader { newest, first, _place: place }, Reader::next);
    let body = Body::from_stream(events);
    let mut response = reply::text("text/event-stream", Bytes::new());
    *response.body_mut() = body;
    response
}

/// A snapshot as an event.
fn event(timeless: &str) -> String {
    // JSON has no line breaks outside of its texts, and escapes those inside.
    format!("event: snapshot\ndata: {}\n\n", timed(timeless))
}

// === impl Reader ===

impl Reader {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if let Some(first) = self.first.take() {
            return Some((Ok(first.into()), self));
        }
        self.newest.changed().await.ok()?;
        let event = self.newest.borrow_and_update().clone();
        Some((Ok(Bytes::copy_from_slice(event.as_bytes())), self))
    }
}
