//! A body that plays the remaining steps of a script.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    provider::AttemptGuard,
    reply::{Script, ScriptStep},
};

/// A body that plays the remaining steps of a script.
#[derive(Debug)]
pub(super) struct ScriptBody {
    attempt: AttemptGuard,
    script: Script,
    sleep: Option<Pin<Box<Sleep>>>,
    is_sleeping: bool,
    /// The remaining bytes of the content length.
    remaining: Option<u64>,
    is_over: bool,
}

// === impl ScriptBody ===

impl ScriptBody {
    pub(super) fn new(attempt: AttemptGuard, script: Script) -> Self {
        Self { attempt, script, sleep: None, is_sleeping: false, remaining: None, is_over: false }
    }

    /// Sets the content length.
    pub(super) fn set_length(&mut self, length: Option<u64>) {
        self.remaining = length;
        self.complete_at_end();
    }

    fn start_sleep(&mut self, until: Instant) {
        self.is_sleeping = true;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(until),
            None => self.sleep = Some(Box::pin(sleep_until(until))),
        }
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let (true, Some(sleep)) = (self.is_sleeping, &mut self.sleep) {
            ready!(sleep.as_mut().poll(cx));
            self.is_sleeping = false;
        }
        Poll::Ready(())
    }

    /// Completes the attempt with its last byte: a client need not poll for the end.
    fn complete_at_end(&mut self) {
        if self.script.is_over() {
            self.attempt.complete();
        }
    }

    fn fail(&mut self, kind: io::ErrorKind) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.is_over = true;
        self.attempt.complete();
        Poll::Ready(Some(Err(kind.into())))
    }
}

impl Body for ScriptBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        loop {
            ready!(self.poll_sleep(cx));
            match self.script.next() {
                Some(ScriptStep::Wait(wait)) => self.start_sleep(later(Instant::now(), wait)),
                Some(ScriptStep::Data(data)) => {
                    self.remaining =
                        self.remaining.map(|remaining| remaining.saturating_sub(data.len() as u64));
                    self.complete_at_end();
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                // A body that is polled again is still silent.
                Some(ScriptStep::Hang) => self.start_sleep(later(Instant::now(), Duration::MAX)),
                Some(ScriptStep::Cut) => return self.fail(io::ErrorKind::UnexpectedEof),
                Some(ScriptStep::Reset) => return self.fail(io::ErrorKind::ConnectionReset),
                _ => {
                    self.is_over = true;
                    self.complete_at_end();
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || (self.remaining == Some(0) && self.script.is_over())
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// `now + wait`, at most thirty years: no limit of a client is as long.
fn later(now: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}
