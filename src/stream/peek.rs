//! Reads ahead: a stream to its commit point, an answer that is not streamed to its end.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tokio::time::timeout;

use crate::{
    Body, Error,
    dialect::FrameSummary,
    outcome::Outcome,
    stream::{MonitoredBody, ProgressSignal},
};

/// The commit point of a stream: when the answer is handed to the caller.
///
/// Until then a failure can be retried, or moved down the ladder, without the caller seeing anything of it; after it, it
/// is an error of the body.
///
/// The policy's may be set for one call alone, by one in the extensions of its request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommitPolicy {
    /// At the first event with content: the caller sees words as they come. The default.
    #[default]
    FirstContent,
    /// When the stream is complete: the caller sees a whole answer or none. For pipelines, where nobody watches.
    Complete,
}

/// How long, and how much of it, a stream is held back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldLimits {
    pub(crate) commit: CommitPolicy,
    /// As many events without content are held back.
    pub(crate) events: u32,
    /// As many bytes are held back while there is no content.
    pub(crate) bytes: usize,
    /// As many bytes are held back of a stream that is to be complete.
    pub(crate) whole: usize,
}

/// What is held back.
#[derive(Default)]
struct HeldEvents {
    frames: VecDeque<Frame<Bytes>>,
    events: u32,
    bytes: usize,
}

/// After a finish reason: the time that is left for what else the API has to say, as it may never say `[DONE]`, nor
/// close the connection.
const GRACE: Duration = Duration::from_secs(1);

/// What a frame costs to hold back, apart from its bytes.
const FRAME: usize = 64;

/// Holds a stream back to its commit point, and puts what was read back in line. Tells what it came to so far; a stream
/// that failed before is an error.
///
/// Stops at the first byte of a body that is no stream at all: see [`StreamMonitor::foreign`](crate::dialect::StreamMonitor::foreign).
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

/// The next frame; `None` when there is nothing to wait for.
async fn next(guard: &mut MonitoredBody) -> Result<Option<(Frame<Bytes>, FrameSummary)>, Error> {
    // Truncated: the API's own end is still to come.
    let whole = guard.outcome() != Outcome::Truncated;
    let frame = poll_fn(|cx| guard.poll_ahead(cx));
    if !whole {
        return frame.await.transpose();
    }
    match timeout(GRACE, frame).await {
        Ok(frame) => frame.transpose(),
        Err(_) => {
            // Nor is it waited for again by whoever reads what is handed on.
            guard.stop();
            Ok(None)
        }
    }
}

/// Reads a body to its end, if it has at most so many bytes, and leaves it known in full. A larger one is passed through:
/// `None`.
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
                    // What is to come is known of most answers: then each byte is copied once, and there is one copy.
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
        // No larger than it is, as it may be kept.
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

    /// Whether that is all that may be held back without content.
    fn is_past(&self, hold: &HoldLimits) -> bool {
        self.events > hold.events || self.bytes > hold.bytes
    }
}
