//! The events of a call, in the order in which they come: read top to bottom, this is the flow of one call. What a fallback and
//! an attempt tell may come several times.

use std::{sync::Arc, time::Duration};

use super::{EditSummary, MissReason, SkipReason, StopReason, UserCode};
use crate::{
    attempt_log::{BodyEnd, CallId},
    circuit_state::{CircuitState, TransitionReason},
    context::Route,
    outcome::{Outcome, Phase, Verdict},
};

/// One step of a call, or one change of a route's state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The call that the event belongs to, or that brought it about, such as the one whose failure opened a breaker. `None` where
    /// no call did, as for a breaker that was forced, and in a stack without [`Telemetry`](super::Telemetry).
    pub call: Option<CallId>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened: the kinds of events, in the order in which they come in a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    // The call comes in.
    /// A call came in.
    CallStarted,
    /// A stored answer is given.
    #[non_exhaustive]
    CacheHit {
        /// How long ago it was stored.
        age: Duration,
        /// Whether it is older than what may stand in place of a call.
        stale: bool,
    },
    /// No stored answer was there to be given.
    #[non_exhaustive]
    CacheMiss {
        /// Why.
        reason: MissReason,
    },
    /// The call has joined an equal one in flight.
    Coalesced,

    // The ladder, fallback after fallback.
    /// The ladder passed a fallback by.
    #[non_exhaustive]
    FallbackSkipped {
        /// Its position, from 0.
        fallback: u16,
        /// Its name.
        name: Arc<str>,
        /// Why.
        reason: SkipReason,
    },
    /// The ladder went to a fallback.
    #[non_exhaustive]
    FallbackEntered {
        /// Its position, from 0.
        fallback: u16,
        /// Its name.
        name: Arc<str>,
    },
    /// A fallback asks for less than the caller did.
    #[non_exhaustive]
    RequestEdited {
        /// Its position, from 0.
        fallback: u16,
        /// Its name.
        name: Arc<str>,
        /// What was changed.
        edited: EditSummary,
    },

    // An attempt, and what may hold it back.
    /// An attempt is sent, or asks the breaker whether it may be.
    #[non_exhaustive]
    AttemptStarted {
        /// Where it goes.
        route: Route,
        /// The how-manieth on this fallback, from 1.
        attempt: u32,
    },
    /// A breaker refused it; nothing was sent.
    #[non_exhaustive]
    BreakerRefused {
        /// The route that is closed to calls.
        route: Route,
        /// When it is worth coming back.
        retry_in: Duration,
    },
    /// A limit of the route has no room for it now: it waits for its turn.
    #[non_exhaustive]
    LimitQueued {
        /// The route that is full, or closed by its provider.
        route: Route,
        /// About how long it will wait.
        expected: Duration,
    },
    /// It was not sent: the wait for its turn would not leave it the time, or the queue is full.
    #[non_exhaustive]
    LimitRefused {
        /// The route that is full, or closed by its provider.
        route: Route,
        /// When it is worth coming back.
        retry_in: Duration,
    },

    // While it is under way.
    /// A call is late, or has failed: a second copy of it is sent.
    #[non_exhaustive]
    Hedged {
        /// Where both go.
        route: Route,
        /// How long the first copy has taken so far.
        after: Duration,
    },
    /// A breaker's probe is slow: the fallbacks below are asked beside it.
    #[non_exhaustive]
    ProbeRaced {
        /// The position of the fallback that is probed, from 0.
        fallback: u16,
        /// How long the probe has taken so far.
        after: Duration,
    },
    /// A connection that was kept from an earlier request was dead. The provider's failures do not count it.
    #[non_exhaustive]
    ConnectionLost {
        /// Where the attempt went.
        route: Route,
        /// Whether the request was sent again at once on a new connection; else the attempt failed by that.
        sent_again: bool,
    },
    /// A limit of ours passed in silence.
    #[non_exhaustive]
    TimedOut {
        /// Which limit.
        phase: Phase,
        /// How long it was.
        after: Duration,
    },

    // What it came to, from the inside out.
    /// The provider limited the rate: the route is left alone for a while.
    #[non_exhaustive]
    LimitClosed {
        /// The route.
        route: Route,
        /// For how long.
        lasts: Duration,
    },
    /// A breaker changed its state.
    #[non_exhaustive]
    BreakerChanged {
        /// Its route.
        route: Route,
        /// The state it left.
        from: CircuitState,
        /// The state it is in.
        to: CircuitState,
        /// Why.
        reason: TransitionReason,
        /// How long it stays open, where it opened.
        lasts: Option<Duration>,
    },
    /// One of a fallback's equal targets is passed over for a while, as long as there is another: it failed several times in a
    /// row, or its credential, its model or its quota is gone.
    #[non_exhaustive]
    TargetEjected {
        /// Its route.
        route: Route,
        /// What the attempt came to that decided it.
        outcome: Outcome,
        /// For how long; then one call tries it.
        lasts: Duration,
    },
    /// An attempt came to something.
    #[non_exhaustive]
    AttemptEnded {
        /// Where it went.
        route: Route,
        /// The how-manieth on this fallback, from 1.
        attempt: u32,
        /// What it came to, with the provider's code.
        verdict: Verdict,
        /// How long it took, to the commit point.
        took: Duration,
    },

    // Once more, or no more.
    /// A retry waits.
    #[non_exhaustive]
    RetryWaiting {
        /// Where it will go.
        route: Route,
        /// How long it waits.
        wait: Duration,
        /// Whether the provider named the wait.
        hinted: bool,
    },
    /// No further retry on this fallback although the outcome would allow one.
    #[non_exhaustive]
    RetryStopped {
        /// Where it would have gone.
        route: Route,
        /// Why.
        reason: StopReason,
    },

    // The answer is handed on.
    /// A call has its answer, or its error.
    #[non_exhaustive]
    CallEnded {
        /// What it came to.
        outcome: Outcome,
        /// The fallback that answered, where a ladder is.
        served_by: Option<Arc<str>>,
        /// How many attempts were sent.
        attempts: u32,
        /// How long it took, to the commit point.
        took: Duration,
    },

    // While it is read, and at its end.
    /// A stream that the caller reads had failed, and a fallback below goes on with it.
    #[non_exhaustive]
    Resumed {
        /// Its position, from 0.
        fallback: u16,
        /// Its name.
        name: Arc<str>,
        /// What the stream had failed with.
        after: Outcome,
    },
    /// A stream brought less content a minute than counts as healthy. Told at its end.
    #[non_exhaustive]
    StreamSlow {
        /// Its route.
        route: Route,
        /// How many events with content came.
        events: u32,
        /// How long the reader waited for them.
        within: Duration,
    },
    /// The answer was stored.
    #[non_exhaustive]
    CacheStored {
        /// What it weighs in the store, in bytes.
        bytes: usize,
    },
    /// The store did not take the answer.
    CacheFailed,
    /// Code of the user's panicked. The call went on without it. Told once for each kind of code.
    #[non_exhaustive]
    Panicked {
        /// Whose code it was.
        code: UserCode,
    },
    /// The body of an answer ended.
    #[non_exhaustive]
    BodyEnded {
        /// How.
        ending: BodyEnd,
        /// How long after the call came in.
        took: Duration,
    },
}

// === impl Event ===

impl Event {
    /// The name of the event for logs and metrics: [`EventKind::name`].
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }
}

// === impl EventKind ===

impl EventKind {
    /// The name for logs and metrics, in lower case with underscores, such as `breaker_changed`. One name for each kind.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CallStarted => "call_started",
            Self::CacheHit { .. } => "cache_hit",
            Self::CacheMiss { .. } => "cache_miss",
            Self::Coalesced => "coalesced",
            Self::FallbackSkipped { .. } => "fallback_skipped",
            Self::FallbackEntered { .. } => "fallback_entered",
            Self::RequestEdited { .. } => "request_edited",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::BreakerRefused { .. } => "breaker_refused",
            Self::LimitQueued { .. } => "limit_queued",
            Self::LimitRefused { .. } => "limit_refused",
            Self::Hedged { .. } => "hedged",
            Self::ProbeRaced { .. } => "probe_raced",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::TimedOut { .. } => "timed_out",
            Self::LimitClosed { .. } => "limit_closed",
            Self::BreakerChanged { .. } => "breaker_changed",
            Self::TargetEjected { .. } => "target_ejected",
            Self::AttemptEnded { .. } => "attempt_ended",
            Self::RetryWaiting { .. } => "retry_waiting",
            Self::RetryStopped { .. } => "retry_stopped",
            Self::CallEnded { .. } => "call_ended",
            Self::Resumed { .. } => "resumed",
            Self::StreamSlow { .. } => "stream_slow",
            Self::CacheStored { .. } => "cache_stored",
            Self::CacheFailed => "cache_failed",
            Self::Panicked { .. } => "panicked",
            Self::BodyEnded { .. } => "body_ended",
        }
    }
}
