//! A body with a fault.

use std::{
    future::Future,
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    damage::Damage,
    error::InjectedFault,
    injector::Injection,
    step::{Delivered, Step, Steps},
};
use crate::{Body, Error, outcome::Outcome, time::saturating_add};

/// Resolves when chaos has ended.
type Ended = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// The body of a provider with a fault. Once chaos is off, the rest is passed on as it is.
pub(super) struct DamagedBody {
    inner: Body,
    injection: Injection,
    /// `None` once chaos is off.
    damage: Option<Damage>,
    steps: Steps,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether the wait before the next step has begun.
    waits: bool,
    ended: Ended,
    over: bool,
}

// === impl DamagedBody ===

impl DamagedBody {
    pub(super) fn new(injection: Injection, headers: &HeaderMap, inner: Body) -> Self {
        let damage = Damage::new(injection.fault.clone(), headers, &injection.info);
        Self {
            inner,
            ended: Box::pin(injection.ended()),
            injection,
            damage: Some(damage),
            steps: Steps::default(),
            sleep: None,
            waits: false,
            over: false,
        }
    }

    /// Ends the fault if chaos is off.
    fn poll_ended(&mut self, cx: &mut Context<'_>) {
        if self.damage.is_none() || self.ended.as_mut().poll(cx).is_pending() {
            return;
        }
        let Some(mut damage) = self.damage.take() else { return };
        self.waits = false;
        self.steps.calm();
        self.steps.push_data(damage.rest());
    }

    /// The next step, once its wait is over; `None` if there is none.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivered>> {
        let Some(wait) = self.steps.next_wait() else { return Poll::Ready(None) };
        if !wait.is_zero() {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(Instant::now())));
            if !mem::replace(&mut self.waits, true) {
                sleep.as_mut().reset(saturating_add(Instant::now(), wait));
            }
            ready!(sleep.as_mut().poll(cx));
            self.waits = false;
        }
        Poll::Ready(Some(self.steps.deliver()))
    }

    /// Reads the next frame of the provider, and what the fault makes of it.
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)).transpose()? else {
            match &mut self.damage {
                Some(damage) => damage.end(&mut self.steps),
                None => self.steps.push(Step::End),
            }
            return Poll::Ready(Ok(()));
        };
        match (frame.into_data(), &mut self.damage) {
            (Ok(data), Some(damage)) => damage.push(data, &mut self.steps),
            (Ok(data), None) => self.steps.push_data(data),
            (Err(trailers), _) => self.steps.push(Step::Frame(trailers)),
        }
        Poll::Ready(Ok(()))
    }

    fn failed(&mut self, kind: io::ErrorKind) -> Error {
        self.over = true;
        InjectedFault::new(self.injection.fault.kind()).error(Outcome::Truncated, kind)
    }
}

impl HttpBody for DamagedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while !self.over {
            self.poll_ended(cx);
            match ready!(self.poll_step(cx)) {
                Some(Delivered::Frame(frame)) => return Poll::Ready(Some(Ok(frame))),
                Some(Delivered::Failed(kind)) => return Poll::Ready(Some(Err(self.failed(kind)))),
                Some(Delivered::Ended) => self.over = true,
                Some(Delivered::Nothing) => {}
                None => {
                    if let Err(error) = ready!(self.poll_inner(cx)) {
                        self.over = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }
}
