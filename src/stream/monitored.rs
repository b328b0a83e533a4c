//! The guard of a streamed body: hands bytes on as they came, watches what they say, and ends exactly once.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::BoxBody;

use crate::{
    Error,
    attempt_log::{AttemptLog, CallId},
    dialect::{FrameSummary, StreamMonitor},
    outcome::{Outcome, Phase},
    stream::IdleTimeout,
    stream::{BodyEnd, Tap, body_end::EndHooks},
};

/// A frame that was read ahead, with what it said.
pub(crate) type Ahead = Result<(Frame<Bytes>, FrameSummary), Error>;

/// A streamed body under guard.
///
/// Bytes are never changed, joined or split. Frames that were read before the commit point are kept in `front` and
/// handed on first.
pub(crate) struct MonitoredBody {
    /// The body underneath; let go of as soon as it is over, or has failed.
    inner: Option<BoxBody<Bytes, Error>>,
    front: VecDeque<Frame<Bytes>>,
    watch: Option<StreamMonitor>,
    clock: Option<IdleTimeout>,
    /// The error that follows the frames before it; there is nothing underneath any more when it is set.
    failure: Option<Error>,
    /// Says that the answer is whole, where what is underneath watches it instead.
    whole: Option<Arc<AtomicBool>>,
    at_end: EndHooks,
    tap: Option<Box<dyn Tap>>,
    /// The call that reads the body, where it is known.
    call: Option<CallId>,
}

// === impl MonitoredBody ===

impl MonitoredBody {
    pub(crate) fn new(inner: BoxBody<Bytes, Error>) -> Self {
        Self {
            inner: Some(inner),
            front: VecDeque::new(),
            watch: None,
            clock: None,
            failure: None,
            whole: None,
            at_end: EndHooks::default(),
            tap: None,
            call: None,
        }
    }

    /// Reads the stream as one of its dialect from here on, or as none.
    pub(crate) fn watch(&mut self, watch: impl Into<Option<StreamMonitor>>) {
        self.watch = watch.into();
    }

    /// Bounds the silence, and the whole stream, from here on.
    pub(crate) fn clock(&mut self, clock: IdleTimeout) {
        self.clock = Some(clock);
    }

    /// Learns from what is underneath whether the answer is whole, although its bytes are not over.
    pub(crate) fn whole(&mut self, whole: Arc<AtomicBool>) {
        self.whole = Some(whole);
    }

    /// Listens to what is handed on.
    pub(crate) fn tap(&mut self, tap: Box<dyn Tap>) {
        self.tap = Some(tap);
    }

    /// Puts the attempt log into the error of a body that fails.
    pub(crate) fn attempt_log(&mut self, attempt_log: AttemptLog) {
        self.at_end.attempt_log(attempt_log);
    }

    pub(crate) fn set_call(&mut self, call: CallId) {
        self.call = Some(call);
    }

    pub(crate) fn call(&self) -> Option<CallId> {
        self.call
    }

    /// What happens at its end.
    pub(crate) fn at_end(&mut self) -> &mut EndHooks {
        &mut self.at_end
    }

    /// The frames that are handed on first: what was read ahead is put back in line here.
    pub(crate) fn front(&mut self) -> &mut VecDeque<Frame<Bytes>> {
        &mut self.front
    }

    /// What the stream came to if nothing more came. One without a dialect is whole only when its bytes are over.
    pub(crate) fn outcome(&self) -> Outcome {
        self.watch.as_ref().map_or(Outcome::Truncated, StreamMonitor::outcome)
    }

    /// What watches it, where its dialect is known.
    pub(crate) fn watched(&self) -> Option<&StreamMonitor> {
        self.watch.as_ref()
    }

    /// Reads one frame ahead, past everything that was put back, and tells what it said. `None` when the bytes are over
    /// and all is well; an error when they are and it is not.
    pub(crate) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ahead>> {
        Poll::Ready(ready!(self.poll_under(cx)).map(|frame| {
            let frame = frame?;
            let seen = self.look(&frame);
            Ok((frame, seen))
        }))
    }

    /// The next frame from underneath, or how its bytes ended: an error, or `None` where all is well.
    fn poll_under(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(self.failure.take().map(Err));
        };
        match ready!(Pin::new(inner).poll_frame(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => Poll::Ready(self.close(Some(error)).map(Err)),
            None => Poll::Ready(self.close(None).map(Err)),
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.tap.is_none() {
            return self.poll_next(cx);
        }
        let next = ready!(self.poll_next(cx));
        self.tell(&next);
        Poll::Ready(next)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.front.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        // Data first, then the timer: what has arrived in time is never thrown away for a clock.
        let Poll::Ready(next) = self.poll_under(cx) else {
            let Some(clock) = &mut self.clock else { return Poll::Pending };
            return clock.poll_elapsed(cx).map(|phase| self.elapsed(phase).map(Err));
        };
        // A frame is read where it lies: it is moved once less by every layer of a body that does so.
        if let Some(Ok(frame)) = &next {
            let seen = self.look(frame);
            self.progress(seen);
        }
        Poll::Ready(next)
    }

    /// Whether it is known how it ended, and all that was read ahead is handed on.
    pub(crate) fn is_told(&self) -> bool {
        self.at_end.ending().is_some() && self.front.is_empty()
    }

    /// Tells the tap what is handed on, and that it was the last of a whole body.
    fn tell(&mut self, next: &Option<Result<Frame<Bytes>, Error>>) {
        let data = next.as_ref().and_then(|next| next.as_ref().ok()).and_then(Frame::data_ref);
        if let (Some(tap), Some(data)) = (&mut self.tap, data) {
            tap.bytes(data);
        }
        match self.at_end.ending() {
            Some(BodyEnd::Done) if self.front.is_empty() => {
                self.tap.take().into_iter().for_each(Tap::whole);
            }
            None | Some(BodyEnd::Done) => {}
            Some(_) => self.tap = None,
        }
    }

    /// True only when nothing can follow, an error neither.
    pub(crate) fn is_end_stream(&self) -> bool {
        let settled = self.at_end.ending().is_some() && self.failure.is_none();
        settled && self.front.is_empty() && self.is_drained()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let front = self.front.iter().filter_map(Frame::data_ref).map(Bytes::len).sum::<usize>();
        let rest = self.inner.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint);
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(front as u64));
        }
        hint.set_lower(rest.lower().saturating_add(front as u64));
        hint
    }

    /// Gives the body up with an error: the caller sees it in place of the body.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.inner = None;
        self.settle(error.outcome().into());
        self.at_end.tell(error)
    }

    /// Whether what is underneath has no more to give.
    fn is_drained(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    /// Ends a stream that is whole although its bytes are not over: nothing more is waited for.
    pub(crate) fn stop(&mut self) {
        self.inner = None;
        self.settle(self.outcome().into());
    }

    /// Reads a frame that is about to be handed on, or put back.
    fn look(&mut self, frame: &Frame<Bytes>) -> FrameSummary {
        let seen = match (&mut self.watch, frame.data_ref()) {
            (Some(watch), Some(data)) => watch.feed(data),
            // Without a dialect every byte is content.
            (None, Some(data)) => FrameSummary::bytes(!data.is_empty()),
            // Trailers are the last frame of a body: many callers do not ask for another.
            (_, None) => {
                self.failure = self.close(None);
                return FrameSummary::default();
            }
        };
        let last = match &self.watch {
            Some(watch) => watch.is_over(),
            // Callers need not poll past the last frame when the length was known.
            None => self.is_drained(),
        };
        if last {
            self.settle(self.watch.as_ref().map_or(BodyEnd::Done, |watch| watch.outcome().into()));
        }
        seen
    }

    /// Takes note of what a frame said that is about to be handed on.
    fn progress(&mut self, seen: FrameSummary) {
        let elapsed = self.clock.as_mut().and_then(|clock| clock.frame(seen.content, seen.works));
        if let Some(verdict) = seen.failed {
            // The frame is handed on, the error follows it.
            self.failure = Some(self.fail(Error::new(verdict)));
        } else if let (Some(phase), Some(_)) = (elapsed, &self.inner) {
            self.failure = self.elapsed(phase);
        }
    }

    /// The bytes are over, with an error of the transport or without: an error, unless the answer is whole.
    fn close(&mut self, error: Option<Error>) -> Option<Error> {
        self.inner = None;
        let whole = match &mut self.watch {
            Some(watch) => watch.finish(),
            None if error.is_none() => Ok(Outcome::Success),
            None => Err(Outcome::Truncated.into()),
        };
        let error = match (whole, error) {
            (Ok(whole), _) => {
                self.settle(whole.into());
                return None;
            }
            (Err(why), Some(error)) => match why.outcome() {
                Outcome::Truncated | Outcome::Empty => error,
                _ => Error::new(why).with_source(error),
            },
            (Err(why), None) => Error::new(why),
        };
        Some(self.fail(error))
    }

    /// A limit has passed: an error, unless the answer is whole.
    fn elapsed(&mut self, phase: Phase) -> Option<Error> {
        match self.outcome() {
            // Blocked is whole: its finish reason tells the caller.
            whole @ (Outcome::Success | Outcome::Blocked) => {
                self.inner = None;
                self.settle(whole.into());
                None
            }
            _ => Some(self.fail(Error::new(Outcome::TimedOut { phase }))),
        }
    }

    fn settle(&mut self, ending: BodyEnd) {
        self.at_end.settle(ending, self.watch.as_ref().and_then(StreamMonitor::usage));
    }
}

impl Drop for MonitoredBody {
    fn drop(&mut self) {
        if self.at_end.ending().is_some() {
            return;
        }
        let told = self.whole.as_ref().is_some_and(|whole| whole.load(Ordering::Relaxed));
        let over = told || self.is_drained();
        let ending = match &mut self.watch {
            // The caller stopped at the last byte, and need not know that the API had more to say.
            Some(watch) if over => watch.finish().unwrap_or_else(|why| why.outcome()).into(),
            Some(watch) if watch.outcome() != Outcome::Truncated => watch.outcome().into(),
            None if over => BodyEnd::Done,
            _ => BodyEnd::Cancelled,
        };
        self.settle(ending);
    }
}

impl fmt::Debug for MonitoredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { front, at_end, .. } = self;
        write!(f, "Guard({} frames held back, {:?})", front.len(), at_end.ending())
    }
}
