//! A body that continues with another answer where the first breaks off.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::runtime::Handle;

use super::{Continuation, ContinuationFuture};
use crate::{
    Body, Error,
    attempt_log::AttemptLog,
    dialect::{AnswerInfo, Dialect, ResumableStream, StreamMonitor, UsageHandle},
    outcome::{Outcome, Phase, Verdict},
};

/// The parts of a [`Resumed`].
pub(crate) struct ResumeParts {
    pub(crate) dialect: Dialect,
    pub(crate) attempt_log: AttemptLog,
    /// The handle through which the usage of all answers together is reported.
    pub(crate) usage: UsageHandle,
    /// Set when the answer is complete, for a reader that stops before the end of its bytes.
    pub(crate) whole: Arc<AtomicBool>,
}

/// A body that continues with another answer where the first breaks off.
///
/// Bytes are handed on unchanged, up to the end of the last whole event in them; the beginning of the next event waits for its
/// end. The part that was handed on is thus well-formed wherever the stream breaks off.
pub(crate) struct Resumed {
    /// The answer that is being read; dropped as soon as it has ended or failed.
    inner: Option<Body>,
    reader: ResumableStream,
    out: VecDeque<Frame<Bytes>>,
    start: ResumeParts,
    /// Requests the next answer; `None` while a request is under way.
    onward: Option<Box<dyn Continuation>>,
    /// Behind a lock that never blocks: it makes the body `Sync`, which the future is not.
    asking: Mutex<Option<ContinuationFuture>>,
    /// The failure that the caller sees if no answer continues the stream.
    first: Option<Error>,
    /// The bytes of the first answer after its last good event: handed on if no answer continues the stream.
    rest: Option<Bytes>,
    /// The facts of all answers together.
    answer: Option<AnswerInfo>,
    runtime: Option<Handle>,
}

// === impl Resumed ===

impl Resumed {
    pub(crate) fn new(inner: Body, onward: Box<dyn Continuation>, start: ResumeParts) -> Self {
        Self {
            inner: Some(inner),
            reader: ResumableStream::new(start.dialect),
            out: VecDeque::new(),
            onward: Some(onward),
            start,
            asking: Mutex::new(None),
            first: None,
            rest: None,
            answer: None,
            runtime: Handle::try_current().ok(),
        }
    }

    fn watched(&mut self) -> Option<&StreamMonitor> {
        self.inner.as_mut().and_then(Body::guard).and_then(|guard| guard.watched())
    }

    fn frame(&mut self, frame: Frame<Bytes>, cx: &mut Context<'_>) {
        match frame.into_data() {
            Ok(data) => {
                let piece = self.reader.read(data);
                self.out.extend(piece.out.into_iter().map(Frame::data));
                if let Some(verdict) = piece.failed {
                    let error = self.error(verdict, cx);
                    self.fail(error, piece.rest);
                }
            }
            Err(trailers) => {
                let held = self.reader.take_held();
                self.hand_on(held);
                self.out.push_back(trailers);
            }
        }
        let whole = self.watched().is_some_and(|watch| watch.outcome().is_success());
        self.start.whole.store(whole, Ordering::Relaxed);
    }

    /// The error of the answer that is being read, whose error event was cut off: its monitor has it.
    fn error(&mut self, verdict: Verdict, cx: &mut Context<'_>) -> Error {
        match self.inner.as_mut().map(|inner| Pin::new(inner).poll_frame(cx)) {
            Some(Poll::Ready(Some(Err(error)))) => error,
            _ => Error::new(verdict),
        }
    }

    /// Handles the failure of the answer that is being read. Requests another one if possible, else ends in the first failure.
    fn fail(&mut self, error: Error, rest: Bytes) {
        let why = error.outcome();
        self.let_go();
        self.start.attempt_log.broke(why);
        self.first.get_or_insert(error);
        let held = self.reader.take_held();
        if !self.reader.has_joined() {
            self.rest = Some(if held.is_empty() { rest } else { [held, rest].concat().into() });
        }
        let said = self.reader.text().filter(|_| may_follow(why) && self.runtime.is_some());
        match (said, self.onward.take()) {
            (Some(said), Some(onward)) => {
                let asking = onward.continue_after(said.trim_end().into(), why);
                *self.asking.get_mut().unwrap_or_else(PoisonError::into_inner) = Some(asking);
            }
            _ => self.give_up(),
        }
    }

    /// Ends the stream without a continuation: the caller sees the rest of the first answer, and its failure.
    fn give_up(&mut self) {
        let rest = self.rest.take().unwrap_or_default();
        self.hand_on(rest);
        self.settle();
    }

    /// Waits for the continuing answer.
    fn poll_asking(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let asking = self.asking.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(future) = asking else { return Poll::Ready(()) };
        // A body may be read outside of a runtime.
        let own = self.runtime.as_ref().filter(|_| Handle::try_current().is_err());
        let _runtime = own.map(Handle::enter);
        // The runtime may be shut down: then no answer continues the stream.
        let poll = AssertUnwindSafe(|| future.as_mut().poll(cx));
        let next = ready!(catch_unwind(poll).unwrap_or(Poll::Ready(None)));
        *asking = None;
        match next {
            Some((onward, body)) => {
                self.reader.join();
                (self.inner, self.onward, self.rest) = (Some(body), Some(onward), None);
            }
            None => self.give_up(),
        }
        Poll::Ready(())
    }

    fn hand_on(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.out.push_back(Frame::data(bytes));
        }
    }

    /// Adds the facts of the answer that was read, and drops it.
    fn let_go(&mut self) {
        if let Some(next) = self.watched().map(StreamMonitor::info) {
            self.answer.get_or_insert_default().continued_by(next);
        }
        self.inner = None;
    }

    fn settle(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.start.usage.settle(answer);
        }
    }
}

impl HttpBody for Resumed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        /// The most frames that are read in a row without handing any on.
        const IN_A_ROW: u32 = 128;
        let this = &mut *self;
        for _ in 0..IN_A_ROW {
            if let Some(frame) = this.out.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            ready!(this.poll_asking(cx));
            if !this.out.is_empty() {
                continue;
            }
            let Some(inner) = &mut this.inner else {
                return Poll::Ready(this.first.take().map(Err));
            };
            match ready!(Pin::new(inner).poll_frame(cx)) {
                Some(Ok(frame)) => this.frame(frame, cx),
                Some(Err(error)) => this.fail(error, Bytes::new()),
                None => {
                    let last = this.reader.finish();
                    this.hand_on(last);
                    this.let_go();
                    this.settle();
                    this.first = None;
                    this.start.whole.store(true, Ordering::Relaxed);
                }
            }
        }
        // Other tasks get their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        let over = self.inner.as_ref().is_none_or(HttpBody::is_end_stream);
        // A failed answer is followed by another one, or by the error.
        over && self.out.is_empty() && self.first.is_none() && self.reader.is_clear()
    }
}

impl Drop for Resumed {
    fn drop(&mut self) {
        *self.asking.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        self.let_go();
        self.settle();
    }
}

impl fmt::Debug for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumed").field("open", &self.inner.is_some()).finish_non_exhaustive()
    }
}

/// Whether another answer may follow this outcome. A limit on the whole stream also limits the continuation.
fn may_follow(why: Outcome) -> bool {
    let over = Outcome::TimedOut { phase: Phase::Stream };
    why.allows_fallback() && why != over
}
