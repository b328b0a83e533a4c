//! The turn of one caller to poll the shared attempt.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use http_body::Body as HttpBody;

use super::{
    flight::{Flight, Head, Stage, State},
    shared_body::SharedFrame,
    shared_error::SharedError,
};
use crate::{Error, Response, outcome::Outcome, sync::lock_std as lock};

/// Holds what is polled, and puts it back when dropped.
struct PollTurn<'a> {
    flight: &'a Flight,
    stage: Stage,
}

// === impl Flight ===

impl Flight {
    /// Polls the attempt once; returns whether it made progress. A panic becomes a failure for all callers.
    pub(super) fn poll(&self) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.poll_once())).unwrap_or(true)
    }

    fn poll_once(&self) -> bool {
        let Some(mut turn) = PollTurn::take(self) else { return false };
        let mut cx = Context::from_waker(&self.waker);
        match &mut turn.stage {
            Stage::Asking(answer) => match answer.as_mut().poll(&mut cx) {
                Poll::Ready(result) => turn.head(result),
                Poll::Pending => return false,
            },
            Stage::Reading(body) => match Pin::new(&mut *body).poll_frame(&mut cx) {
                Poll::Ready(frame) => {
                    let told = body.guard().is_none_or(|guard| guard.is_told());
                    turn.frame(frame.map(|frame| frame.map(SharedFrame::from)), told);
                }
                Poll::Pending => return false,
            },
            Stage::Polled | Stage::Over => return false,
        }
        true
    }
}

// === impl PollTurn ===

impl<'a> PollTurn<'a> {
    fn take(flight: &'a Flight) -> Option<Self> {
        let mut state = lock(&flight.state);
        if !state.is_due() {
            return None;
        }
        state.woken = false;
        let stage = std::mem::replace(&mut state.stage, Stage::Polled);
        Some(Self { flight, stage })
    }

    /// The answer has begun, or the attempt has failed.
    fn head(&mut self, result: Result<Response, Error>) {
        let (head, stage) = match result {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                match body.bytes() {
                    Some(bytes) => (Ok(Head { parts, body: Some(bytes.into()) }), Stage::Over),
                    None => (Ok(Head { parts, body: None }), Stage::Reading(body)),
                }
            }
            Err(error) => (Err(SharedError::from(error)), Stage::Over),
        };
        self.end(stage, |state| state.head = Some(head));
    }

    /// The body has a frame, or has ended.
    fn frame(&mut self, frame: Option<Result<SharedFrame, Error>>, told: bool) {
        match frame {
            Some(Ok(piece)) => {
                let stage = std::mem::replace(&mut self.stage, Stage::Polled);
                self.end(stage, |state| {
                    state.told |= told;
                    state.body.push(piece);
                });
            }
            Some(Err(error)) => {
                self.end(Stage::Over, |state| state.body.end(Err(SharedError::from(error))));
            }
            None => self.end(Stage::Over, |state| state.body.end(Ok(()))),
        }
    }

    /// Continues as `stage`; the previous stage is dropped without a lock held.
    fn end(&mut self, stage: Stage, change: impl FnOnce(&mut State)) {
        self.flight.change(|state| {
            state.stage = stage;
            change(state);
        });
        self.stage = Stage::Polled;
    }
}

impl Drop for PollTurn<'_> {
    fn drop(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Polled);
        if matches!(stage, Stage::Polled) {
            return;
        }
        if !std::thread::panicking() {
            lock(&self.flight.state).stage = stage;
            return;
        }
        // It panicked: let no caller wait for it.
        self.flight.change(|state| {
            state.stage = Stage::Over;
            let fault = || SharedError::from(Error::new(Outcome::ConnectionLost));
            state.head.get_or_insert_with(|| Err(fault()));
            state.body.end(Err(fault()));
        });
    }
}
