//! Reads ahead: a stream to its commit point, an answer that is not streamed to its end.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tokio::time::timeout;

use crate::{
    Body, Error,
    dialect::{FrameSummary, StreamMonitor},
    outcome::Outcome,
    stream::{MonitoredBody, ProgressSignal},
};

/// The commit point of a stream: when the answer is handed to the caller.
///
/// Until then a failure can be retried, or moved to the next fallback, without being visible to the caller; after it, the failure
/// is an error of the body.
///
/// For a single call, put a `CommitPolicy` into the extensions of its request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommitPolicy {
    /// At the first event with content: the caller sees words as they arrive. The default.
    #[default]
    FirstContent,
    /// When the stream is complete: the caller sees a whole answer or none. For pipelines without a waiting user.
    Complete,
}

/// How long and how much of a stream is held back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldLimits {
    pub(crate) commit: CommitPolicy,
    /// The most events without content that are held back.
    pub(crate) events: u32,
    /// The most bytes that are held back without content.
    pub(crate) bytes: usize,
    /// The most bytes that are held back of a stream that has to be complete.
    pub(crate) whole: usize,
}

/// The frames that are held back.
#[derive(Default)]
struct HeldEvents {
    frames: VecDeque<Frame<Bytes>>,
    events: u32,
    bytes: usize,
}

/// The time to wait for further data after a finish reason, as the API may never send `[DONE]` nor close the connection.
const GRACE: Duration = Duration::from_secs(1);

/// The time to wait for the usage that was asked for, which follows the finish reason: less than the usual limit of silence.
const USAGE: Duration = Duration::from_secs(5);

/// The cost of a frame that is held back, apart from its bytes.
const FRAME: usize = 64;

/// Holds a stream back to its commit point, and puts the frames back. Returns the outcome so far; a stream that failed before is
/// an error.
///
/// Stops at the first bytes of a body that is not a stream: see
/// [`StreamMonitor::foreign`](crate::dialect::StreamMonitor::foreign).
pub(crate) async fn peek(
    guard: &mut MonitoredBody,
    hold: &HoldLimits,
    pulse: Option<&ProgressSignal>,
) -> Result<Outcome, Error> {
    let mut held = HeldEvents::default();
    while let Some((frame, seen)) = next(guard).await? {
        let content = seen.content > 0;
        if let (true, Some(pulse)) = (content || seen.works, pulse) {
            pulse.beat();
        }
        held.push(frame, &seen);
        if let Some(verdict) = seen.failed {
            return Err(guard.fail(Error::new(verdict)));
        }
        let commits = match hold.commit {
            CommitPolicy::FirstContent => content || held.is_past(hold),
            CommitPolicy::Complete => held.bytes > hold.whole,
        };
        if commits
            || guard.watched().is_none_or(|watch| watch.is_over() || watch.foreign().is_some())
        {
            break;
        }
    }
    guard.front().extend(held.frames);
    match guard.outcome() {
        outcome @ (Outcome::Blocked | Outcome::Empty) => Ok(outcome),
        _ => Ok(Outcome::Success),
    }
}

/// The next frame; `None` when no further frame is awaited.
async fn next(guard: &mut MonitoredBody) -> Result<Option<(Frame<Bytes>, FrameSummary)>, Error> {
    // Truncated: the end in the API's own format is still missing.
    let whole = guard.outcome() != Outcome::Truncated;
    let grace =
        if guard.watched().is_some_and(StreamMonitor::awaits_usage) { USAGE } else { GRACE };
    let frame = poll_fn(|cx| guard.poll_ahead(cx));
    if !whole {
        return frame.await.transpose();
    }
    match timeout(grace, frame).await {
        Ok(frame) => frame.transpose(),
        Err(_) => {
            // The reader of the body does not wait for it again either.
            guard.stop();
            Ok(None)
        }
    }
}

/// Reads a body of at most `most` bytes to its end and makes it known in full. A larger one is passed through: `None`.
pub(crate) async fn collect(body: &mut Body, most: usize) -> Result<Option<Bytes>, Error> {
    if let Some(bytes) = body.bytes() {
        return Ok(Some(bytes));
    }
    let guard = body.guarded();
    if guard.size_hint().lower() > most as u64 {
        return Ok(None);
    }
    let (mut first, mut more, mut trailers) = (Bytes::new(), BytesMut::new(), None);
    let mut front = std::mem::take(guard.front());
    loop {
        let frame = match front.pop_front() {
            Some(frame) => frame,
            None => match poll_fn(|cx| guard.poll_ahead(cx)).await.transpose()? {
                Some((frame, _)) => frame,
                None => break,
            },
        };
        match frame.into_data() {
            Ok(data) if first.is_empty() && more.is_empty() => first = data,
            Ok(data) => {
                if more.is_empty() {
                    // The remaining size of most answers is known: then each byte is copied once, into one buffer.
                    let rest = guard.size_hint().lower().min(most as u64) as usize;
                    more.reserve(first.len() + data.len() + rest);
                    more.extend_from_slice(&std::mem::take(&mut first));
                }
                more.extend_from_slice(&data);
            }
            Err(frame) => trailers = Some(frame),
        }
        if first.len() + more.len() > most {
            let read = [first, more.freeze()].into_iter().filter(|read| !read.is_empty());
            let read = read.map(Frame::data);
            guard.front().extend(read.chain(trailers).chain(front));
            return Ok(None);
        }
    }
    let bytes = match more.len() {
        0 => first,
        // The bytes may be kept, so they are not kept in a larger buffer.
        size if more.capacity() > size + size / 8 => Bytes::copy_from_slice(&more),
        _ => more.freeze(),
    };
    match trailers {
        Some(trailers) => guard.front().extend([Frame::data(bytes.clone()), trailers]),
        None => *body = bytes.clone().into(),
    }
    Ok(Some(bytes))
}

// === impl HeldEvents ===

impl HeldEvents {
    fn push(&mut self, frame: Frame<Bytes>, seen: &FrameSummary) {
        self.bytes += FRAME + frame.data_ref().map_or(0, Bytes::len);
        self.events = self.events.saturating_add(seen.events);
        self.frames.push_back(frame);
    }

    /// Whether more is held back than allowed without content.
    fn is_past(&self, hold: &HoldLimits) -> bool {
        self.events > hold.events || self.bytes > hold.bytes
    }
}
