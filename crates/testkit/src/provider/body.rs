//! A body that acts out what is left of a script.

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
    provider::Flight,
    reply::{Script, Step},
};

/// A body that acts out what is left of a script.
#[derive(Debug)]
pub(super) struct Acted {
    flight: Flight,
    script: Script,
    sleep: Option<Pin<Box<Sleep>>>,
    asleep: bool,
    /// What is left of the length that was told.
    left: Option<u64>,
    over: bool,
}

// === impl Acted ===

impl Acted {
    pub(super) fn new(flight: Flight, script: Script) -> Self {
        Self { flight, script, sleep: None, asleep: false, left: None, over: false }
    }

    /// The length that the head tells.
    pub(super) fn length(&mut self, length: Option<u64>) {
        self.left = length;
        self.notice_end();
    }

    fn fall_asleep(&mut self, until: Instant) {
        self.asleep = true;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(until),
            None => self.sleep = Some(Box::pin(sleep_until(until))),
        }
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let (true, Some(sleep)) = (self.asleep, &mut self.sleep) {
            ready!(sleep.as_mut().poll(cx));
            self.asleep = false;
        }
        Poll::Ready(())
    }

    /// A client that has all the bytes need not ask for the end.
    fn notice_end(&mut self) {
        if self.script.is_over() {
            self.flight.done();
        }
    }

    fn broken(&mut self, kind: io::ErrorKind) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.over = true;
        self.flight.done();
        Poll::Ready(Some(Err(kind.into())))
    }
}

impl Body for Acted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        loop {
            ready!(self.poll_sleep(cx));
            match self.script.next() {
                Some(Step::Wait(wait)) => self.fall_asleep(later(Instant::now(), wait)),
                Some(Step::Data(data)) => {
                    self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                    self.notice_end();
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                // A body that is polled again is still silent.
                Some(Step::Hang) => self.fall_asleep(later(Instant::now(), Duration::MAX)),
                Some(Step::Cut) => return self.broken(io::ErrorKind::UnexpectedEof),
                Some(Step::Reset) => return self.broken(io::ErrorKind::ConnectionReset),
                _ => {
                    self.over = true;
                    self.notice_end();
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over || (self.left == Some(0) && self.script.is_over())
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// `now + wait`, and no later than some thirty years on: no limit of a client is as long.
fn later(now: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}
