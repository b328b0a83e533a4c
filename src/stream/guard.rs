//! The guard of a streamed body: hands bytes on as they came, watches what they say, and ends exactly once.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::BoxBody;

use crate::{
    Error,
    classify::Outcome,
    context::Journey,
    dialect::Usage,
    stream::{Ending, Seen, Watch},
    timeout::Clock,
};

/// Called once with the ending of a body.
pub(crate) type Hook = Box<dyn FnOnce(&Ending) + Send + Sync>;

/// A frame that was read ahead, with what it said.
pub(crate) type Ahead = Result<(Frame<Bytes>, Seen), Error>;

/// A streamed body under guard.
///
/// Bytes are never changed, joined or split. Frames that were read before the commit point are kept in `front` and
/// handed on first.
pub(crate) struct Guard {
    /// The body underneath; let go of as soon as it is over, or has failed.
    inner: Option<BoxBody<Bytes, Error>>,
    front: VecDeque<Frame<Bytes>>,
    watch: Option<Watch>,
    clock: Option<Clock>,
    hooks: Vec<Hook>,
    journey: Option<Journey>,
    usage: Usage,
    /// The error that follows the frames before it; there is nothing underneath any more when it is set.
    failure: Option<Error>,
    ending: Option<Ending>,
}

// === impl Guard ===

impl Guard {
    pub(crate) fn new(inner: BoxBody<Bytes, Error>) -> Self {
        Self {
            inner: Some(inner),
            front: VecDeque::new(),
            watch: None,
            clock: None,
            hooks: Vec::new(),
            journey: None,
            usage: Usage::default(),
            failure: None,
            ending: None,
        }
    }

    /// Reads the stream as one of its dialect from here on.
    pub(crate) fn watch(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// Bounds the silence, and the whole stream, from here on.
    pub(crate) fn clock(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    /// Puts the journey into the error of a body that fails.
    pub(crate) fn journey(&mut self, journey: Journey) {
        self.journey = Some(journey);
    }

    pub(crate) fn on_end(&mut self, hook: Hook) {
        match &self.ending {
            Some(ending) => hook(ending),
            None => self.hooks.push(hook),
        }
    }

    /// Where the cost of the answer is told once the body has ended.
    pub(crate) fn usage(&self) -> Usage {
        self.usage.clone()
    }

    /// Puts frames that were read ahead back in line.
    pub(crate) fn put_back(&mut self, frames: impl IntoIterator<Item = Frame<Bytes>>) {
        self.front.extend(frames);
    }

    /// Takes what was put back, to read it once more.
    pub(crate) fn take_back(&mut self) -> VecDeque<Frame<Bytes>> {
        std::mem::take(&mut self.front)
    }

    /// Reads the stream as one of its dialect no longer: it is something else.
    pub(crate) fn unwatch(&mut self) -> Option<Watch> {
        self.watch.take()
    }

    /// What the bytes are where they are no events: their first byte.
    pub(crate) fn foreign(&self) -> Option<u8> {
        self.watch.as_ref().and_then(Watch::foreign)
    }

    /// What the stream came to if nothing more came. One without a dialect is whole only when its bytes are over.
    pub(crate) fn outcome(&self) -> Outcome {
        self.watch.as_ref().map_or(Outcome::Truncated, Watch::outcome)
    }

    /// Whether the API has said its last word.
    pub(crate) fn is_over(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_over)
    }

    /// Reads one frame ahead, past everything that was put back, and tells what it said. `None` when the bytes are over
    /// and all is well; an error when they are and it is not.
    pub(crate) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ahead>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(self.failure.take().map(Err));
        };
        match ready!(Pin::new(inner).poll_frame(cx)) {
            Some(Ok(frame)) => {
                let seen = self.look(&frame);
                Poll::Ready(Some(Ok((frame, seen))))
            }
            Some(Err(error)) => Poll::Ready(self.close(Some(error)).map(Err)),
            None => Poll::Ready(self.close(None).map(Err)),
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.front.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        // Data first, then the timer: what has arrived in time is never thrown away for a clock.
        match self.poll_ahead(cx) {
            Poll::Ready(Some(Ok((frame, seen)))) => {
                self.progress(seen);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => self.poll_clock(cx).map(|error| error.map(Err)),
        }
    }

    /// True only when nothing can follow, an error neither.
    pub(crate) fn is_end_stream(&self) -> bool {
        let drained = self.front.is_empty() && self.failure.is_none() && self.ending.is_some();
        drained && self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let front = self.front.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64);
        let front = front.sum::<u64>();
        let rest = self.inner.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint);
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(front));
        }
        hint.set_lower(rest.lower().saturating_add(front));
        hint
    }

    /// Gives the body up with an error: the caller sees it in place of the body.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.inner = None;
        self.settle(error.outcome().into());
        match &self.journey {
            Some(journey) => error.with_journey(journey),
            None => error,
        }
    }

    /// Ends a stream that is whole although its bytes are not over: nothing more is waited for.
    pub(crate) fn stop(&mut self) {
        self.inner = None;
        self.settle(self.outcome().into());
    }

    /// Reads a frame that is about to be handed on, or put back.
    fn look(&mut self, frame: &Frame<Bytes>) -> Seen {
        let seen = match (&mut self.watch, frame.data_ref()) {
            (Some(watch), Some(data)) => watch.feed(data),
            // Without a dialect every byte is content.
            (None, Some(data)) => Seen::bytes(!data.is_empty()),
            // Trailers are the last frame of a body: many callers do not ask for another.
            (_, None) => {
                self.failure = self.close(None);
                return Seen::default();
            }
        };
        let last = match &self.watch {
            Some(watch) => watch.is_over(),
            // Callers need not poll past the last frame when the length was known.
            None => self.inner.as_ref().is_none_or(HttpBody::is_end_stream),
        };
        if last && seen.failed.is_none() {
            self.settle(self.watch.as_ref().map_or(Ending::Done, |watch| watch.outcome().into()));
        }
        seen
    }

    /// Takes note of what a frame said that is about to be handed on.
    fn progress(&mut self, seen: Seen) {
        let late = self.clock.as_mut().and_then(|clock| clock.frame(seen.content > 0));
        if let Some(verdict) = seen.failed {
            // The frame is handed on, the error follows it.
            self.failure = Some(self.fail(Error::new(verdict)));
        } else if let (Some(phase), None) = (late, self.ending) {
            self.failure = Some(self.fail(Error::new(Outcome::TimedOut { phase })));
        }
    }

    /// The bytes are over, with an error of the transport or without: an error, unless the answer is whole.
    fn close(&mut self, error: Option<Error>) -> Option<Error> {
        self.inner = None;
        let verdict = match &mut self.watch {
            Some(watch) => watch.finish(),
            None if error.is_none() => Outcome::Success.into(),
            None => Outcome::Truncated.into(),
        };
        match (verdict.outcome(), error) {
            // Blocked is whole: its finish reason tells the caller.
            (whole @ (Outcome::Success | Outcome::Blocked), _) => {
                self.settle(whole.into());
                None
            }
            (Outcome::Truncated | Outcome::Empty, Some(error)) => Some(self.fail(error)),
            (_, Some(error)) => Some(self.fail(Error::new(verdict).with_source(error))),
            (_, None) => Some(self.fail(Error::new(verdict))),
        }
    }

    /// Asks the clock. Ready with an error if a limit has passed, with none if the answer is whole all the same.
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        let Some(clock) = &mut self.clock else {
            return Poll::Pending;
        };
        let phase = ready!(clock.poll_elapsed(cx));
        let outcome = self.outcome();
        if matches!(outcome, Outcome::Success | Outcome::Blocked) {
            self.inner = None;
            self.settle(outcome.into());
            return Poll::Ready(None);
        }
        Poll::Ready(Some(self.fail(Error::new(Outcome::TimedOut { phase }))))
    }

    /// The one place where a body gets its ending.
    fn settle(&mut self, ending: Ending) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        self.usage.settle(self.watch.as_ref().and_then(Watch::tokens));
        for hook in std::mem::take(&mut self.hooks) {
            hook(&ending);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.ending.is_some() {
            return;
        }
        let over = self.inner.as_ref().is_none_or(HttpBody::is_end_stream);
        let ending = match &mut self.watch {
            // The caller stopped at the last byte, and need not know that the API had more to say.
            Some(watch) if over => watch.finish().outcome().into(),
            Some(watch) => match watch.outcome() {
                Outcome::Truncated => Ending::Cancelled,
                whole => whole.into(),
            },
            None if over => Ending::Done,
            None => Ending::Cancelled,
        };
        self.settle(ending);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("held_back", &self.front.len())
            .field("watched", &self.watch.is_some())
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}
