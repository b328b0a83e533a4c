//! One attempt, and all callers that wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    task::{Poll, Wake, Waker},
};

use http::response::Parts;

use super::{CoalesceKey, WaitTerms, shared_body::SharedBody, shared_error::SharedError};
use crate::{Body, Error, context::AttemptLog, sync::lock_std as lock, upstream::ResponseFuture};

/// One attempt, and all callers that wait for it.
pub(super) struct Flight {
    pub(super) id: CoalesceKey,
    flights: Arc<dyn Forget>,
    pub(super) terms: WaitTerms,
    pub(super) attempt_log: AttemptLog,
    pub(super) waker: Waker,
    pub(super) state: Mutex<State>,
}

/// The place where a flight is found.
pub(super) trait Forget: Send + Sync {
    /// Removes the flight, so that no other call joins it.
    fn forget(&self, flight: &Flight);
}

pub(super) struct State {
    pub(super) stage: Stage,
    /// Whether the attempt has woken since it was last polled.
    pub(super) woken: bool,
    pub(super) head: Option<Result<Head, SharedError>>,
    pub(super) body: SharedBody,
    /// Whether the answer is complete, although its body may not have ended: later calls do not join.
    pub(super) told: bool,
    pub(super) waiting: HashMap<u64, Waker>,
    pub(super) joined: u64,
}

/// The state of the attempt.
pub(super) enum Stage {
    Asking(ResponseFuture),
    Reading(Body),
    /// One of the callers polls it.
    Polled,
    Over,
}

/// The head of an answer, with its body if that is known in full.
pub(super) struct Head {
    pub(super) parts: Parts,
    pub(super) body: Option<Body>,
}

/// Wakes a flight without keeping it alive.
struct FlightWaker(Weak<Flight>);

// === impl Flight ===

impl Flight {
    pub(super) fn new(
        id: CoalesceKey,
        flights: Arc<dyn Forget>,
        terms: WaitTerms,
        attempt_log: AttemptLog,
        answer: ResponseFuture,
    ) -> Arc<Self> {
        let state = State {
            stage: Stage::Asking(answer),
            woken: true,
            head: None,
            body: SharedBody::default(),
            told: false,
            waiting: HashMap::new(),
            joined: 0,
        };
        Arc::new_cyclic(|weak| Self {
            id,
            flights,
            terms,
            attempt_log,
            waker: Waker::from(Arc::new(FlightWaker(weak.clone()))),
            state: Mutex::new(state),
        })
    }

    /// Changes the state, and wakes all waiting callers.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        change(&mut state);
        state.woken = true;
        let (waiting, joinable) = (std::mem::take(&mut state.waiting), state.is_joinable());
        drop(state);
        if !joinable {
            self.flights.forget(self);
        }
        waiting.into_values().for_each(Waker::wake);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.forget(self);
    }
}

// === impl State ===

impl State {
    /// Whether the attempt has to be polled, and no caller polls it.
    pub(super) fn is_due(&self) -> bool {
        self.woken && matches!(self.stage, Stage::Asking(_) | Stage::Reading(_))
    }

    /// Whether another call may join: while the attempt is not over and the buffer still has the beginning of the body.
    fn is_joinable(&self) -> bool {
        !matches!(self.stage, Stage::Over) && !self.told && self.body.is_whole()
    }

    /// A copy of the head, for one of the waiting callers.
    pub(super) fn copy(&mut self, first: bool) -> Poll<Result<(Parts, Option<Body>), Error>> {
        let Some(head) = &mut self.head else { return Poll::Pending };
        Poll::Ready(match head {
            Ok(Head { parts, body }) => {
                let body = body.as_ref().map(|body| Body::from(body.bytes().unwrap_or_default()));
                Ok((parts.clone(), body))
            }
            Err(fault) => Err(fault.tell(first)),
        })
    }
}

// === impl FlightWaker ===

impl Wake for FlightWaker {
    fn wake(self: Arc<Self>) {
        let Some(flight) = self.0.upgrade() else { return };
        flight.change(|_| {});
    }
}
