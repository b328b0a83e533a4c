//! Equal calls in flight: one attempt, which all who wait for it keep going.
//!
//! Nobody leads. What is under way is polled by whichever of its callers is polled, once for each time that it wakes, and
//! goes on as long as one of them is left; the last takes it along. So no caller depends on another, and none spins.

mod tape;

use std::{
    collections::HashMap,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Wake, Waker},
};

use http::response::Parts;
use http_body::Body as HttpBody;
use tokio::time::Instant;

use self::tape::{Piece, Reader, Tape};
use super::{Key, entry::Shape};
use crate::{
    Body, Error, Response,
    classify::{Outcome, Verdict},
    client::Answer,
    context::{Deadline, Journey},
    dialect::Ask,
    stream::Watch,
    sync::lock_std as lock,
};

/// What calls have to have in common: the key, and the form that is asked.
pub(super) type Id = (Key, Shape);

/// All flights of one cache.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Id, Weak<Flight>>>);

/// What came of joining one.
pub(super) enum Joined {
    First(Passenger),
    Later(Passenger),
    /// There are too many: the call goes alone.
    Full,
}

/// One attempt, and all who wait for it.
pub(super) struct Flight {
    id: Id,
    flights: Arc<Flights>,
    deadline: Option<Deadline>,
    journey: Journey,
    waker: Waker,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    /// Whether what is under way has something to say.
    woken: bool,
    head: Option<Result<Head, Fault>>,
    tape: Tape,
    waiting: HashMap<u64, Waker>,
    seats: u64,
}

/// What is under way.
enum Stage {
    Asking(Answer),
    Reading(Body),
    /// One of its callers polls it.
    Polled,
    Over,
}

/// The head of an answer, with its body where that is known in full.
struct Head {
    parts: Parts,
    body: Option<Body>,
}

/// A failure that is told to many: the first is given the error itself.
struct Fault {
    verdict: Verdict,
    error: Option<Error>,
}

/// One of those who wait.
pub(super) struct Passenger {
    flight: Arc<Flight>,
    seat: u64,
    first: bool,
}

/// Wakes a flight, and does not keep it.
struct Nudge(Weak<Flight>);

/// What is polled: put back in any case.
struct Turn<'a> {
    flight: &'a Flight,
    stage: Stage,
}

// === impl Flights ===

impl Flights {
    /// How many flights there are at most.
    pub(super) const MOST: usize = 4096;

    /// Joins the flight of that id, or begins one.
    ///
    /// One that ends long before the call has to is not joined: its answer may be a lesser one for want of time.
    pub(super) fn join(
        self: &Arc<Self>,
        id: Id,
        (deadline, journey): (Option<Deadline>, &Journey),
        send: &mut dyn FnMut() -> Answer,
    ) -> Joined {
        let mut map = lock(&self.0);
        // Dropped only once the map is free again: the last of a flight takes it out of the map.
        let found = map.get(&id).and_then(Weak::upgrade);
        let begins = match &found {
            Some(flight) => !flight.lasts_for(deadline),
            None if map.len() >= Self::MOST => {
                drop(map);
                return Joined::Full;
            }
            None => true,
        };
        if !begins {
            drop(map);
            let Some(flight) = found else { return Joined::Full };
            return Joined::Later(Passenger::new(flight, false));
        }
        let flight = Flight::new(id, self.clone(), (deadline, journey.clone()), send());
        map.insert(id, Arc::downgrade(&flight));
        drop(map);
        Joined::First(Passenger::new(flight, true))
    }

    /// Lets no other join that flight.
    fn forget(&self, flight: &Flight) {
        let mut map = lock(&self.0);
        if map.get(&flight.id).is_some_and(|known| std::ptr::eq(known.as_ptr(), flight)) {
            map.remove(&flight.id);
        }
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flights({})", lock(&self.0).len())
    }
}

// === impl Flight ===

impl Flight {
    fn new(
        id: Id,
        flights: Arc<Flights>,
        (deadline, journey): (Option<Deadline>, Journey),
        answer: Answer,
    ) -> Arc<Self> {
        let state = State {
            stage: Stage::Asking(answer),
            woken: true,
            head: None,
            tape: Tape::default(),
            waiting: HashMap::new(),
            seats: 0,
        };
        Arc::new_cyclic(|weak| Self {
            id,
            flights,
            deadline,
            journey,
            waker: Waker::from(Arc::new(Nudge(weak.clone()))),
            state: Mutex::new(state),
        })
    }

    /// Whether it has at least half the time that a call with that deadline has.
    fn lasts_for(&self, deadline: Option<Deadline>) -> bool {
        let now = Instant::now();
        match (self.deadline, deadline) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.left(now) >= other.left(now) / 2,
        }
    }

    /// Polls what is under way once. Whether it came to anything.
    fn poll(&self) -> bool {
        let Some(mut turn) = Turn::take(self) else { return false };
        let mut cx = Context::from_waker(&self.waker);
        match &mut turn.stage {
            Stage::Asking(answer) => match answer.as_mut().poll(&mut cx) {
                Poll::Ready(result) => turn.head(result),
                Poll::Pending => return false,
            },
            Stage::Reading(body) => match Pin::new(body).poll_frame(&mut cx) {
                Poll::Ready(frame) => turn.frame(frame.map(|frame| frame.map(Piece::from))),
                Poll::Pending => return false,
            },
            Stage::Polled | Stage::Over => return false,
        }
        true
    }

    /// Changes the state, and wakes all who wait for that.
    fn change(&self, change: impl FnOnce(&mut State)) {
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
    fn is_due(&self) -> bool {
        self.woken && matches!(self.stage, Stage::Asking(_) | Stage::Reading(_))
    }

    /// Whether another may join: until it is over, as long as the tape has its beginning.
    fn is_joinable(&self) -> bool {
        !matches!(self.stage, Stage::Over) && self.tape.is_whole()
    }
}

// === impl Turn ===

impl<'a> Turn<'a> {
    fn take(flight: &'a Flight) -> Option<Self> {
        let mut state = lock(&flight.state);
        if !state.is_due() {
            return None;
        }
        state.woken = false;
        let stage = std::mem::replace(&mut state.stage, Stage::Polled);
        Some(Self { flight, stage })
    }

    /// The answer has begun, or there is none.
    fn head(&mut self, result: Result<Response, Error>) {
        let (head, stage) = match result {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                match body.bytes() {
                    Some(bytes) => (Ok(Head { parts, body: Some(bytes.into()) }), Stage::Over),
                    None => (Ok(Head { parts, body: None }), Stage::Reading(body)),
                }
            }
            Err(error) => (Err(Fault::from(error)), Stage::Over),
        };
        self.end(stage, |state| state.head = Some(head));
    }

    /// The body goes on, or is over.
    fn frame(&mut self, frame: Option<Result<Piece, Error>>) {
        match frame {
            Some(Ok(piece)) => {
                let stage = std::mem::replace(&mut self.stage, Stage::Polled);
                self.end(stage, |state| state.tape.push(piece));
            }
            Some(Err(error)) => {
                self.end(Stage::Over, |state| state.tape.end(Err(Fault::from(error))));
            }
            None => self.end(Stage::Over, |state| state.tape.end(Ok(()))),
        }
    }

    /// What was under way goes on as `stage`; what it was is dropped when no lock is held.
    fn end(&mut self, stage: Stage, change: impl FnOnce(&mut State)) {
        self.flight.change(|state| {
            state.stage = stage;
            change(state);
        });
        self.stage = Stage::Polled;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Polled);
        if matches!(stage, Stage::Polled) {
            return;
        }
        if !std::thread::panicking() {
            lock(&self.flight.state).stage = stage;
            return;
        }
        // It panicked: nobody is to wait for it.
        self.flight.change(|state| {
            state.stage = Stage::Over;
            let fault = || Fault::from(Error::new(Outcome::Broken));
            state.head.get_or_insert_with(|| Err(fault()));
            state.tape.end(Err(fault()));
        });
    }
}

// === impl Passenger ===

impl Passenger {
    fn new(flight: Arc<Flight>, first: bool) -> Self {
        let seat = {
            let mut state = lock(&flight.state);
            state.seats += 1;
            state.seats
        };
        Self { flight, seat, first }
    }

    /// The answer, from its head on.
    pub(super) async fn arrive(self, ask: &Ask, journey: &Journey) -> Result<Response, Error> {
        let (parts, body) = poll_fn(|cx| self.poll(cx, |state| state.copy(self.first))).await?;
        let success = parts.extensions.get().is_some_and(|it: &Verdict| it.outcome().is_success());
        if let Some(rung) = self.flight.journey.rung().filter(|_| success) {
            journey.answered_by(rung);
        }
        let body = body.unwrap_or_else(|| {
            let mut body = Body::wrap(Reader::new(self));
            body.guarded().journey(journey.clone());
            // A caller may stop at the API's last word, as always.
            let watched = ask.dialect().filter(|_| success && ask.stream()).map(Watch::new);
            body.guarded().watch(watched);
            body
        });
        Ok(Response::from_parts(parts, body))
    }

    /// What `wanted` takes from the state, once it is there.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut wanted: impl FnMut(&mut State) -> Option<T>,
    ) -> Poll<T> {
        let mut idle = false;
        loop {
            let mut state = lock(&self.flight.state);
            if let Some(found) = wanted(&mut state) {
                state.waiting.remove(&self.seat);
                return Poll::Ready(found);
            }
            let due = state.is_due();
            if !due || idle {
                state.waiting.insert(self.seat, cx.waker().clone());
                drop(state);
                if due {
                    // It asked to be polled again while it was: in its turn, and not at once.
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
            drop(state);
            idle = !self.flight.poll();
        }
    }
}

impl Drop for Passenger {
    fn drop(&mut self) {
        let mut state = lock(&self.flight.state);
        state.waiting.remove(&self.seat);
        if state.is_due() {
            // It was for this one to poll it.
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_values().for_each(Waker::wake);
        }
    }
}

// === impl State, as it is told ===

impl State {
    /// The head, for one of those who wait.
    fn copy(&mut self, first: bool) -> Option<Result<(Parts, Option<Body>), Error>> {
        Some(match self.head.as_mut()? {
            Ok(Head { parts, body }) => {
                let body = body.as_ref().map(|body| Body::from(body.bytes().unwrap_or_default()));
                Ok((parts.clone(), body))
            }
            Err(fault) => Err(fault.tell(first)),
        })
    }
}

// === impl Fault ===

impl Fault {
    fn tell(&mut self, first: bool) -> Error {
        let own = self.error.take_if(|_| first);
        own.unwrap_or_else(|| Error::new(self.verdict.clone()))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { verdict: error.verdict().clone(), error: Some(error) }
    }
}

// === impl Nudge ===

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        let Some(flight) = self.0.upgrade() else { return };
        flight.change(|_| {});
    }
}
