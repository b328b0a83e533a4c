//! One attempt, and all who wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    task::{Poll, Wake, Waker},
};

use http::response::Parts;

use super::{CoalesceKey, WaitTerms, shared_body::SharedBody, shared_error::SharedError};
use crate::{Body, Error, context::AttemptLog, sync::lock_std as lock, upstream::ResponseFuture};

/// One attempt, and all who wait for it.
pub(super) struct Flight {
    pub(super) id: CoalesceKey,
    flights: Arc<dyn Forget>,
    pub(super) terms: WaitTerms,
    pub(super) attempt_log: AttemptLog,
    pub(super) waker: Waker,
    pub(super) state: Mutex<State>,
}

/// Where a flight can be joined.
pub(super) trait Forget: Send + Sync {
    /// Lets no other join that flight.
    fn forget(&self, flight: &Flight);
}

pub(super) struct State {
    pub(super) stage: Stage,
    /// Whether what is under way has something to say.
    pub(super) woken: bool,
    pub(super) head: Option<Result<Head, SharedError>>,
    pub(super) body: SharedBody,
    /// Whether the answer is whole, though its bytes may not be over: whoever asks now asks anew.
    pub(super) told: bool,
    pub(super) waiting: HashMap<u64, Waker>,
    pub(super) joined: u64,
}

/// What is under way.
pub(super) enum Stage {
    Asking(ResponseFuture),
    Reading(Body),
    /// One of its callers polls it.
    Polled,
    Over,
}

/// The head of an answer, with its body where that is known in full.
pub(super) struct Head {
    pub(super) parts: Parts,
    pub(super) body: Option<Body>,
}

/// Wakes a flight, and does not keep it.
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

    /// Changes the state, and wakes all who wait for that.
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
    /// Whether someone has to poll what is under way, and nobody does.
    pub(super) fn is_due(&self) -> bool {
        self.woken && matches!(self.stage, Stage::Asking(_) | Stage::Reading(_))
    }

    /// Whether another may join: until it is over, as long as the body has its beginning.
    fn is_joinable(&self) -> bool {
        !matches!(self.stage, Stage::Over) && !self.told && self.body.is_whole()
    }

    /// The head, for one of those who wait.
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
