//! The events of a call, in the order in which they are emitted: from top to bottom, the flow of one call. Events of a fallback
//! or an attempt may occur several times.

use std::{sync::Arc, time::Duration};

use super::{CredentialFailure, EditSummary, MissReason, SkipReason, StopReason, UserCode};
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
    /// The call that the event belongs to, or that caused it, such as the call whose failure opened a breaker. `None` if no call
    /// did, as for a breaker that was forced, and in a stack without [`Telemetry`](super::Telemetry).
    pub call: Option<CallId>,
    /// The kind of event, with its fields.
    pub kind: EventKind,
}

/// The kinds of events, in the order in which a call emits them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    // The call arrives.
    /// A call arrived.
    CallStarted,
    /// A stored answer is served.
    #[non_exhaustive]
    CacheHit {
        /// The time since it was stored.
        age: Duration,
        /// Whether it is older than [`CachePolicy::serve_fresh_for`](crate::cache::CachePolicy::serve_fresh_for) allows.
        stale: bool,
    },
    /// No stored answer could be served.
    #[non_exhaustive]
    CacheMiss {
        /// The reason.
        reason: MissReason,
    },
    /// The call has joined an equal one in flight.
    Coalesced,

    // The fallbacks, one after another.
    /// A fallback was skipped.
    #[non_exhaustive]
    FallbackSkipped {
        /// The position of the fallback, from 0.
        fallback: u16,
        /// The name of the fallback.
        name: Arc<str>,
        /// The reason.
        reason: SkipReason,
    },
    /// A fallback is tried.
    #[non_exhaustive]
    FallbackEntered {
        /// The position of the fallback, from 0.
        fallback: u16,
        /// The name of the fallback.
        name: Arc<str>,
    },
    /// A fallback edited the request, to ask for less than the caller did.
    #[non_exhaustive]
    RequestEdited {
        /// The position of the fallback, from 0.
        fallback: u16,
        /// The name of the fallback.
        name: Arc<str>,
        /// A summary of the changes.
        edited: EditSummary,
    },

    // An attempt, and what may delay it.
    /// An attempt is about to be sent, unless the breaker refuses it.
    #[non_exhaustive]
    AttemptStarted {
        /// The route of the attempt.
        route: Route,
        /// The number of the attempt at this fallback, from 1.
        attempt: u32,
    },
    /// A breaker refused the attempt; nothing was sent.
    #[non_exhaustive]
    BreakerRefused {
        /// The route of the breaker.
        route: Route,
        /// The time until a call may be let through.
        retry_in: Duration,
    },
    /// A limit of the route has no room for the attempt: it waits in the queue.
    #[non_exhaustive]
    LimitQueued {
        /// The route that is full, or closed by its provider.
        route: Route,
        /// The expected wait.
        expected: Duration,
    },
    /// A limit refused the attempt: the wait would not leave it enough time, or the queue is full.
    #[non_exhaustive]
    LimitRefused {
        /// The route that is full, or closed by its provider.
        route: Route,
        /// The time until a call may be let through.
        retry_in: Duration,
    },

    // Its credentials.
    /// Credentials were fetched.
    #[non_exhaustive]
    CredentialsFetched {
        /// The route of the attempt that started the fetch.
        route: Route,
        /// How long they are valid, if that is known.
        lifetime: Option<Duration>,
        /// How long the fetch took.
        took: Duration,
    },
    /// Credentials could not be fetched or made.
    #[non_exhaustive]
    CredentialsFailed {
        /// The route of the attempt that started the fetch.
        route: Route,
        /// The reason.
        reason: CredentialFailure,
        /// The time until they are fetched again; `None` for a signer, which is called for each attempt.
        retry_in: Option<Duration>,
    },
    /// The provider rejected the credentials of an attempt.
    #[non_exhaustive]
    CredentialsRejected {
        /// The route of the attempt.
        route: Route,
        /// Whether the request was sent once more with other credentials.
        sent_again: bool,
    },

    // While the attempt is under way.
    /// A call is slow, or has failed: a second copy of it is sent.
    #[non_exhaustive]
    Hedged {
        /// The route of both copies.
        route: Route,
        /// How long the first copy has taken so far.
        after: Duration,
    },
    /// A breaker's probe is slow: the fallbacks below are tried concurrently.
    #[non_exhaustive]
    ProbeRaced {
        /// The position of the probed fallback, from 0.
        fallback: u16,
        /// How long the probe has taken so far.
        after: Duration,
    },
    /// A connection that was kept from an earlier request was dead. It does not count as a failure of the provider.
    #[non_exhaustive]
    ConnectionLost {
        /// The route of the attempt.
        route: Route,
        /// Whether the request was sent again at once on a new connection; if not, the attempt failed.
        sent_again: bool,
    },
    /// A timeout passed.
    #[non_exhaustive]
    TimedOut {
        /// Which timeout.
        phase: Phase,
        /// Its duration.
        after: Duration,
    },

    // The outcome, from the innermost layer outwards.
    /// The provider limited the rate: the route is closed for a while.
    #[non_exhaustive]
    LimitClosed {
        /// The route that is closed.
        route: Route,
        /// How long it is closed.
        lasts: Duration,
    },
    /// A breaker changed its state.
    #[non_exhaustive]
    BreakerChanged {
        /// The route of the breaker.
        route: Route,
        /// The state before.
        from: CircuitState,
        /// The state after.
        to: CircuitState,
        /// The reason.
        reason: TransitionReason,
        /// How long it stays open, if it opened.
        lasts: Option<Duration>,
    },
    /// One of a fallback's equal targets is ejected for a while, as long as there is another: it failed several times in a
    /// row, or its credential or model was rejected, or its quota is exhausted.
    #[non_exhaustive]
    TargetEjected {
        /// The route of the target.
        route: Route,
        /// The outcome of the attempt that caused it.
        outcome: Outcome,
        /// For how long; then one call is its trial.
        lasts: Duration,
    },
    /// An attempt has an outcome.
    #[non_exhaustive]
    AttemptEnded {
        /// The route of the attempt.
        route: Route,
        /// The number of the attempt at this fallback, from 1.
        attempt: u32,
        /// The outcome, with the provider's code.
        verdict: Verdict,
        /// The duration up to the commit point.
        took: Duration,
    },

    // A retry, or the end of retries.
    /// A retry waits.
    #[non_exhaustive]
    RetryWaiting {
        /// The route of the retry.
        route: Route,
        /// The duration of the wait.
        wait: Duration,
        /// Whether the provider set the wait.
        hinted: bool,
    },
    /// There is no further retry at this fallback although the outcome would allow one.
    #[non_exhaustive]
    RetryStopped {
        /// The route of the retry.
        route: Route,
        /// The reason.
        reason: StopReason,
    },

    // The answer is handed to the caller.
    /// A call has its answer, or its error.
    #[non_exhaustive]
    CallEnded {
        /// The outcome of the call.
        outcome: Outcome,
        /// The fallback that answered, if there is a fallback layer.
        served_by: Option<Arc<str>>,
        /// The number of attempts that were sent.
        attempts: u32,
        /// The duration up to the commit point.
        took: Duration,
    },

    // While the answer is read, and at its end.
    /// A stream failed while the caller read it, and a fallback below continues it.
    #[non_exhaustive]
    Resumed {
        /// The position of the fallback, from 0.
        fallback: u16,
        /// The name of the fallback.
        name: Arc<str>,
        /// The outcome of the stream that failed.
        after: Outcome,
    },
    /// A stream delivered less content per minute than counts as healthy. Emitted at its end.
    #[non_exhaustive]
    StreamSlow {
        /// The route of the stream.
        route: Route,
        /// The number of events with content.
        events: u32,
        /// The time that the reader waited for them.
        within: Duration,
    },
    /// The answer was stored.
    #[non_exhaustive]
    CacheStored {
        /// Its weight in the store, in bytes.
        bytes: usize,
    },
    /// The store did not accept the answer.
    CacheFailed,
    /// User code panicked. The call went on without it. Emitted once for each kind of code.
    #[non_exhaustive]
    Panicked {
        /// The code that panicked.
        code: UserCode,
    },
    /// The body of an answer ended.
    #[non_exhaustive]
    BodyEnded {
        /// How it ended.
        ending: BodyEnd,
        /// The time since the call arrived.
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
    /// The name for logs and metrics, in lower case with underscores, such as `breaker_changed`. Each kind has its own.
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
            Self::CredentialsFetched { .. } => "credentials_fetched",
            Self::CredentialsFailed { .. } => "credentials_failed",
            Self::CredentialsRejected { .. } => "credentials_rejected",
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
