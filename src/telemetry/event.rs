//! The events of a call, in the order in which they come: read top to bottom, this is the flow of one call.

use std::{fmt, sync::Arc, time::Duration};

use super::Edited;
use crate::{
    classify::{Outcome, Phase, Verdict},
    context::Route,
    stream::Ending,
};

/// One step of a call, or one change of a route's state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call came in.
    CallStarted,
    /// A stored answer is given.
    CacheHit {
        /// How long ago it was stored.
        age: Duration,
        /// Whether it is older than what may stand in place of a call.
        stale: bool,
    },
    /// No stored answer was there to be given.
    CacheMiss {
        /// Why.
        why: Miss,
    },
    /// The call has joined an equal one in flight.
    Coalesced,
    /// The ladder went to a rung.
    RungEntered {
        /// Its position, from 0.
        rung: u16,
        /// Its name.
        name: Arc<str>,
    },
    /// A rung asks for less than the caller did.
    RequestEdited {
        /// Its position, from 0.
        rung: u16,
        /// Its name.
        name: Arc<str>,
        /// What was changed.
        edited: Edited,
    },
    /// The ladder passed a rung by.
    RungSkipped {
        /// Its position, from 0.
        rung: u16,
        /// Its name.
        name: Arc<str>,
        /// Why.
        why: Skip,
    },
    /// A breaker's probe is slow: the rungs below are asked beside it.
    ProbeRaced {
        /// The position of the rung that is probed, from 0.
        rung: u16,
        /// How long the probe has taken so far.
        after: Duration,
    },
    /// A call is late, or has failed: a second copy of it is sent.
    Hedged {
        /// Where both go.
        route: Route,
        /// How long the first copy has taken so far.
        after: Duration,
    },
    /// An attempt is sent, or asks the breaker whether it may be.
    AttemptStarted {
        /// Where it goes.
        route: Route,
        /// The how-manieth on this rung, from 1.
        attempt: u32,
    },
    /// A breaker refused it; nothing was sent.
    BreakerRefused {
        /// The route that is closed to calls.
        route: Route,
        /// When it is worth coming back.
        retry_in: Duration,
    },
    /// A limit of the route has no room for it now: it waits for its turn.
    LimitQueued {
        /// The route that is full, or closed by its provider.
        route: Route,
        /// About how long it will wait.
        expected: Duration,
    },
    /// It was not sent: the wait for its turn would not leave it the time, or the queue is full.
    LimitRefused {
        /// The route that is full, or closed by its provider.
        route: Route,
        /// When it is worth coming back.
        retry_in: Duration,
    },
    /// The provider limited the rate: the route is left alone for a while.
    LimitClosed {
        /// The route.
        route: Route,
        /// For how long.
        lasts: Duration,
    },
    /// A limit of ours passed in silence.
    TimedOut {
        /// Which limit.
        phase: Phase,
        /// How long it was.
        after: Duration,
    },
    /// A breaker changed its state.
    BreakerChanged {
        /// Its route.
        route: Route,
        /// The state it left.
        from: &'static str,
        /// The state it is in.
        to: &'static str,
        /// Why, in one word.
        why: &'static str,
        /// How long it stays open, where it opened.
        lasts: Option<Duration>,
    },
    /// An attempt came to something.
    AttemptEnded {
        /// Where it went.
        route: Route,
        /// The how-manieth on this rung, from 1.
        attempt: u32,
        /// What it came to, with the provider's code.
        verdict: Verdict,
        /// How long it took, to the commit point.
        took: Duration,
    },
    /// One of a rung's equal targets is passed over for a while, as long as there is another: it failed several times in a
    /// row, or its credential, its model or its quota is gone.
    TargetOut {
        /// Its route.
        route: Route,
        /// What the attempt came to that decided it.
        outcome: Outcome,
        /// For how long; then one call tries it.
        lasts: Duration,
    },
    /// A retry waits.
    RetryWaiting {
        /// Where it will go.
        route: Route,
        /// How long it waits.
        wait: Duration,
        /// Whether the provider named the wait.
        hinted: bool,
    },
    /// No further retry on this rung although the outcome would allow one.
    RetryStopped {
        /// Where it would have gone.
        route: Route,
        /// Why.
        why: Stop,
    },
    /// A call has its answer, or its error.
    CallEnded {
        /// What it came to.
        outcome: Outcome,
        /// The rung that answered, where a ladder is.
        rung: Option<Arc<str>>,
        /// How many attempts were sent.
        attempts: u32,
        /// How long it took, to the commit point.
        took: Duration,
    },
    /// A stream that the caller reads had failed, and a rung below goes on with it.
    Resumed {
        /// Its position, from 0.
        rung: u16,
        /// Its name.
        name: Arc<str>,
        /// What the stream had failed with.
        after: Outcome,
    },
    /// A stream brought less content a minute than counts as healthy. Told at its end.
    StreamSlow {
        /// Its route.
        route: Route,
        /// How many events with content came.
        events: u32,
        /// How long the reader waited for them.
        within: Duration,
    },
    /// The answer was stored.
    CacheStored {
        /// What it weighs in the store, in bytes.
        bytes: usize,
    },
    /// The store did not take the answer.
    CacheFailed,
    /// The body of an answer ended.
    BodyEnded {
        /// How.
        ending: Ending,
        /// How long after the call came in.
        took: Duration,
    },
}

/// Why a rung was passed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// The call needs something that the rung does not offer.
    Capability,
    /// The failure so far is not one that this rung is for.
    Outcome,
    /// No time is left for it.
    Deadline,
    /// The body of the request can be sent only once.
    Once,
    /// The rung would send the same to the same place once more: nothing in the request is for it to change.
    Unchanged,
    /// No stored answer is there.
    Missing,
}

/// Why no stored answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Miss {
    /// None is stored.
    Absent,
    /// It is older than may be given.
    Old,
    /// It was stored in another form, and cannot be put into the one that is asked.
    Form,
    /// The store did not find it in time.
    Late,
    /// The store failed.
    Failed,
}

/// Why there was no further retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// All retries are used.
    Exhausted,
    /// The budget of the route is spent.
    Budget,
    /// The wait, or the attempt after it, does not fit into what is left until the deadline.
    Deadline,
    /// The body of the request can be sent only once.
    Once,
    /// The breaker of the route has opened, for longer than the wait.
    Breaker,
}

/// Listens to events: a closure, or a type of yours. Called in line, so it must be quick; never under a lock of ours.
pub trait Observe: Send + Sync + 'static {
    /// Takes note of one event.
    fn observe(&self, event: &Event);
}

/// Where a layer sends its events: always to `tracing`, and to a listener if there is one.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<dyn Observe>>);

// === impl Events ===

impl Events {
    /// Sends events to that listener as well.
    pub fn to(listener: impl Observe) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn emit(&self, event: Event) {
        super::tracing::record(&event);
        if let Some(listener) = &self.0 {
            listener.observe(&event);
        }
    }
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observe for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Events(listener)" } else { "Events" })
    }
}
