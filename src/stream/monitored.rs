//! The monitor of a streamed body: hands bytes on unchanged, parses them, and ends exactly once.

mod decoding;
mod ending;
#[cfg(test)]
mod tests;
mod underneath;

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, atomic::AtomicBool},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::BoxBody;

use self::underneath::Underneath;
use crate::{
    Error,
    attempt_log::{AttemptLog, CallId},
    coding::StreamDecoder,
    dialect::{FrameSummary, StreamMonitor},
    outcome::Outcome,
    stream::IdleTimeout,
    stream::{BodyEnd, Tap, body_end::EndHooks},
};

/// A frame that was read ahead, with its summary.
pub(crate) type Ahead = Result<(Frame<Bytes>, FrameSummary), Error>;

/// A monitored stream.
///
/// Bytes are never changed, joined or split. Frames that were read before the commit point are kept in `front` and handed on
/// first.
pub(crate) struct MonitoredBody {
    under: Underneath,
    front: VecDeque<Frame<Bytes>>,
    watch: Option<StreamMonitor>,
    /// Decodes the bytes for `watch`, if they are in a content coding.
    decoder: Option<Box<StreamDecoder>>,
    clock: Option<IdleTimeout>,
    /// Set by the inner body when the answer is complete, if the inner body parses it instead.
    whole: Option<Arc<AtomicBool>>,
    at_end: EndHooks,
    taps: Vec<Box<dyn Tap>>,
    /// The call that reads the body, if known.
    call: Option<CallId>,
}

// === impl MonitoredBody ===

impl MonitoredBody {
    pub(crate) fn new(inner: BoxBody<Bytes, Error>) -> Self {
        Self {
            under: Underneath::Open(inner),
            front: VecDeque::new(),
            watch: None,
            decoder: None,
            clock: None,
            whole: None,
            at_end: EndHooks::default(),
            taps: Vec::new(),
            call: None,
        }
    }

    /// Parses the stream in its dialect from here on, or not at all.
    pub(crate) fn watch(&mut self, watch: impl Into<Option<StreamMonitor>>) {
        self.watch = watch.into();
    }

    /// Applies the idle and stream limits from here on.
    pub(crate) fn clock(&mut self, clock: IdleTimeout) {
        self.clock = Some(clock);
    }

    /// Uses the flag of the inner body for a complete answer whose bytes have not ended.
    pub(crate) fn whole(&mut self, whole: Arc<AtomicBool>) {
        self.whole = Some(whole);
    }

    /// Observes the bytes that are handed on. At most one for each layer.
    pub(crate) fn tap(&mut self, tap: Box<dyn Tap>) {
        self.taps.push(tap);
    }

    /// Sets the attempt log that is added to the error of a body that fails.
    pub(crate) fn attempt_log(&mut self, attempt_log: AttemptLog) {
        self.at_end.attempt_log(attempt_log);
    }

    pub(crate) fn set_call(&mut self, call: CallId) {
        self.call = Some(call);
    }

    pub(crate) fn call(&self) -> Option<CallId> {
        self.call
    }

    /// The hooks at the end of the body.
    pub(crate) fn at_end(&mut self) -> &mut EndHooks {
        &mut self.at_end
    }

    /// The frames that are handed on first: frames that were read ahead are put back here.
    pub(crate) fn front(&mut self) -> &mut VecDeque<Frame<Bytes>> {
        &mut self.front
    }

    /// The outcome of the stream if it ended now. A stream without a dialect is complete only when its bytes have ended.
    pub(crate) fn outcome(&self) -> Outcome {
        self.watch.as_ref().map_or(Outcome::Truncated, StreamMonitor::outcome)
    }

    /// Whether the last event of the API has been read. A content coding has an end of its own after it.
    fn is_over(&self) -> bool {
        self.decoder.is_none() && self.watch.as_ref().is_some_and(StreamMonitor::is_over)
    }

    /// The parser of the stream, if its dialect is known.
    pub(crate) fn watched(&self) -> Option<&StreamMonitor> {
        self.watch.as_ref()
    }

    /// Reads one frame ahead, past all frames that were put back, and returns it with its summary. At the end of the bytes
    /// returns `None` for a complete stream, else an error.
    pub(crate) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ahead>> {
        Poll::Ready(ready!(self.poll_under(cx)).map(|frame| {
            let frame = frame?;
            let seen = self.look(&frame);
            Ok((frame, seen))
        }))
    }

    /// The next frame of the inner body; at the end of its bytes `None` for a complete stream, else an error.
    fn poll_under(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Underneath::Open(inner) = &mut self.under else {
            return Poll::Ready(self.under.take_failure().map(Err));
        };
        let Poll::Ready(next) = Pin::new(inner).poll_frame(cx) else {
            // The API's last event ends the answer, even if the connection stays open.
            return match self.is_over() {
                true => {
                    self.under.drain();
                    Poll::Ready(None)
                }
                false => Poll::Pending,
            };
        };
        match next {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => Poll::Ready(self.close(Some(error)).map(Err)),
            None => Poll::Ready(self.close(None).map(Err)),
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.taps.is_empty() {
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
        // Data first, then the timer: data that has arrived in time is never discarded because of a timer.
        let Poll::Ready(next) = self.poll_under(cx) else {
            let Some(clock) = &mut self.clock else { return Poll::Pending };
            return clock.poll_elapsed(cx).map(|phase| self.elapsed(phase).map(Err));
        };
        // The frame is parsed in place, which saves one move per layer.
        if let Some(Ok(frame)) = &next {
            let seen = self.look(frame);
            self.progress(seen);
        }
        Poll::Ready(next)
    }

    /// Whether the ending is known and all frames that were read ahead are handed on.
    pub(crate) fn is_told(&self) -> bool {
        self.at_end.ending().is_some() && self.front.is_empty()
    }

    /// Reports to the taps the bytes that are handed on, and the end of a complete body.
    fn tell(&mut self, next: &Option<Result<Frame<Bytes>, Error>>) {
        let data = next.as_ref().and_then(|next| next.as_ref().ok()).and_then(Frame::data_ref);
        if let Some(data) = data {
            self.taps.iter_mut().for_each(|tap| tap.bytes(data));
        }
        match self.at_end.ending() {
            Some(BodyEnd::Done) if self.front.is_empty() => {
                self.taps.drain(..).for_each(Tap::whole);
            }
            None | Some(BodyEnd::Done) => {}
            Some(_) => self.taps.clear(),
        }
    }

    /// True only when nothing can follow, not even an error.
    pub(crate) fn is_end_stream(&self) -> bool {
        let settled = self.at_end.ending().is_some() && !self.under.has_failed();
        settled && self.front.is_empty() && self.under.is_drained()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let front = self.front.iter().filter_map(Frame::data_ref).map(Bytes::len).sum::<usize>();
        let rest = self.under.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(front as u64));
        }
        hint.set_lower(rest.lower().saturating_add(front as u64));
        hint
    }
}

impl fmt::Debug for MonitoredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { front, at_end, .. } = self;
        write!(f, "Guard({} frames held back, {:?})", front.len(), at_end.ending())
    }
}
