//! The guard of a streamed body: hands bytes on as they came, watches what they say, and ends exactly once.

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
    classify::{Outcome, Verdict},
    context::Journey,
    stream::{Ending, Seen, Watch},
    timeout::Clock,
};

/// Called once with the ending of a body.
pub(crate) type Hook = Box<dyn FnOnce(&Ending) + Send + Sync>;

/// A streamed body under guard.
///
/// Bytes are never changed, joined or split. Frames that were read before the commit point are kept in `front` and
/// handed on first.
pub(crate) struct Guard {
    inner: BoxBody<Bytes, Error>,
    front: VecDeque<Frame<Bytes>>,
    watch: Option<Watch>,
    clock: Option<Clock>,
    hooks: Vec<Hook>,
    journey: Option<Journey>,
    failure: Option<Error>,
    ending: Option<Ending>,
    over: bool,
}

// === impl Guard ===

impl Guard {
    pub(crate) fn new(inner: BoxBody<Bytes, Error>) -> Self {
        Self {
            inner,
            front: VecDeque::new(),
            watch: None,
            clock: None,
            hooks: Vec::new(),
            journey: None,
            failure: None,
            ending: None,
            over: false,
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

    /// Puts a frame that was read ahead back in line.
    pub(crate) fn put_back(&mut self, frame: Frame<Bytes>) {
        self.front.push_back(frame);
    }

    /// Reads one frame ahead, past everything that was put back, and tells what it said. `None` at the end of the bytes.
    pub(crate) fn poll_ahead(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Frame<Bytes>, Seen), Error>>> {
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Ok(frame)) => {
                let seen = self.look(&frame);
                Poll::Ready(Some(Ok((frame, seen))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(None),
        }
    }

    /// Whether the API's own end has been seen: what comes, or does not come, after it changes nothing.
    pub(crate) fn is_whole(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_whole)
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.front.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Some(Err(self.fail(error))));
        }
        if self.over {
            return Poll::Ready(None);
        }
        // Data first, then the timer: what has arrived in time is never thrown away for a clock.
        match self.poll_ahead(cx) {
            Poll::Ready(Some(Ok((frame, seen)))) => {
                self.progress(seen);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(self.cut(Some(error))),
            Poll::Ready(None) => Poll::Ready(self.cut(None)),
            Poll::Pending => self.poll_clock(cx),
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        let drained = self.front.is_empty() && self.failure.is_none();
        drained && (self.over || (self.ending.is_some() && self.inner.is_end_stream()))
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let mut hint = self.inner.size_hint();
        let front: usize = self.front.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + front as u64);
        }
        hint.set_lower(hint.lower() + front as u64);
        hint
    }

    fn look(&mut self, frame: &Frame<Bytes>) -> Seen {
        match (&mut self.watch, frame.data_ref()) {
            (Some(watch), Some(data)) => watch.feed(data),
            // Without a dialect every byte is content.
            (None, Some(data)) => Seen::bytes(!data.is_empty()),
            (_, None) => Seen::default(),
        }
    }

    /// Takes note of what a frame said that is about to be handed on.
    fn progress(&mut self, seen: Seen) {
        let late = self.clock.as_mut().and_then(|clock| clock.frame(seen.content > 0));
        if let Some(verdict) = seen.failed {
            // The frame is handed on, the error follows it.
            self.failure = Some(Error::new(verdict));
        } else if self.is_whole() {
            self.settle(Ending::Done);
        } else if self.watch.is_none() && self.inner.is_end_stream() {
            // Consumers need not poll past the last frame when the length was known.
            self.settle(Ending::Done);
        } else if let Some(phase) = late {
            self.failure = Some(Error::new(Outcome::TimedOut { phase }));
        }
    }

    /// The bytes are over, with an error of the transport or without.
    fn cut(&mut self, error: Option<Error>) -> Option<Result<Frame<Bytes>, Error>> {
        self.over = true;
        let whole = match &mut self.watch {
            Some(watch) => watch.finish().is_success(),
            None => error.is_none(),
        };
        if whole {
            self.settle(Ending::Done);
            return None;
        }
        let error = error.unwrap_or_else(|| Error::new(Outcome::Truncated));
        Some(Err(self.fail(error)))
    }

    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(clock) = &mut self.clock else {
            return Poll::Pending;
        };
        let phase = ready!(clock.poll_elapsed(cx));
        self.over = true;
        if self.is_whole() {
            self.settle(Ending::Done);
            return Poll::Ready(None);
        }
        let error = Error::new(Outcome::TimedOut { phase });
        Poll::Ready(Some(Err(self.fail(error))))
    }

    fn fail(&mut self, error: Error) -> Error {
        self.over = true;
        self.settle(error.outcome().into());
        match &self.journey {
            Some(journey) => error.with_journey(journey),
            None => error,
        }
    }

    /// The one place where a body gets its ending.
    fn settle(&mut self, ending: Ending) {
        if self.ending.is_none() {
            self.ending = Some(ending);
            for hook in self.hooks.drain(..) {
                hook(&ending);
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let ending = match (&self.failure, self.is_whole()) {
            (Some(error), _) => error.outcome().into(),
            (None, true) => Ending::Done,
            (None, false) => Ending::Cancelled,
        };
        self.settle(ending);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("held_back", &self.front.len())
            .field("watch", &self.watch)
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}

impl From<&Verdict> for Ending {
    fn from(verdict: &Verdict) -> Self {
        verdict.outcome().into()
    }
}
