//! A body that goes on with another answer where the first breaks off.

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
    dialect::{Dialect, ResumableStream, StreamMonitor, Usage, UsageHandle},
    outcome::{Outcome, Phase, Verdict},
};

/// What a [`Resumed`] is made of.
pub(crate) struct ResumeParts {
    pub(crate) dialect: Dialect,
    pub(crate) attempt_log: AttemptLog,
    /// Where the cost of all answers together is told.
    pub(crate) usage: UsageHandle,
    /// Says whether the answer is whole, to who stops reading before the end of its bytes.
    pub(crate) whole: Arc<AtomicBool>,
}

/// A body that goes on with another answer where the first breaks off.
///
/// Bytes are handed on as they came, up to the end of the last whole event in them; the beginning of another waits for
/// its end. So what was handed on is well-formed wherever the stream breaks off.
pub(crate) struct Resumed {
    /// The answer that is read; let go of as soon as it is over, or has failed.
    inner: Option<Body>,
    reader: ResumableStream,
    out: VecDeque<Frame<Bytes>>,
    start: ResumeParts,
    /// Who is asked next, while nobody is.
    onward: Option<Box<dyn Continuation>>,
    /// Behind a lock that nobody ever waits for: a body can be shared, and a future of this kind cannot.
    asking: Mutex<Option<ContinuationFuture>>,
    /// The failure that the caller sees, if nobody goes on.
    first: Option<Error>,
    /// What the first answer sent behind its last good event: handed on if nobody goes on.
    rest: Option<Bytes>,
    cost: Option<Usage>,
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
            cost: None,
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

    /// The error of the answer that is read, whose event has been cut off: its guard knows it.
    fn error(&mut self, verdict: Verdict, cx: &mut Context<'_>) -> Error {
        match self.inner.as_mut().map(|inner| Pin::new(inner).poll_frame(cx)) {
            Some(Poll::Ready(Some(Err(error)))) => error,
            _ => Error::new(verdict),
        }
    }

    /// The answer that is read has failed. Asks for another if that can be, else ends in the first failure.
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

    /// Nobody goes on: the caller sees what the first answer sent, and its failure.
    fn give_up(&mut self) {
        let rest = self.rest.take().unwrap_or_default();
        self.hand_on(rest);
        self.settle();
    }

    /// Waits for the answer that goes on.
    fn poll_asking(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let asking = self.asking.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(future) = asking else { return Poll::Ready(()) };
        // A body may be read where no runtime is.
        let own = self.runtime.as_ref().filter(|_| Handle::try_current().is_err());
        let _runtime = own.map(Handle::enter);
        // Its runtime may be gone: then nobody goes on.
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

    /// Adds what the answer that was read has cost, and lets go of it.
    fn let_go(&mut self) {
        if let Some(more) = self.watched().and_then(StreamMonitor::usage) {
            let cost = self.cost.get_or_insert_default();
            cost.input = cost.input.saturating_add(more.input);
            cost.output = cost.output.saturating_add(more.output);
        }
        self.inner = None;
    }

    fn settle(&mut self) {
        self.start.usage.settle(self.cost);
    }
}

impl HttpBody for Resumed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        /// As many frames are read in a row of which nothing can be handed on.
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
        // Others have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        let over = self.inner.as_ref().is_none_or(HttpBody::is_end_stream);
        // Something follows an answer that failed: another, or the error.
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

/// Whether another answer may follow one that ended so. A limit on the whole stream bounds what follows too.
fn may_follow(why: Outcome) -> bool {
    let over = Outcome::TimedOut { phase: Phase::Stream };
    why.allows_fallback() && why != over
}
