//! The events of a call, in the order in which they are emitted: from top to bottom, the flow of one call. Events of a fallback
//! or an attempt may occur several times.

use std::{sync::Arc, time::Duration};

use super::{
    AnswerSource, CallReport, CredentialFailure, EditSummary, MissReason, SkipReason, StopReason,
    UserCode,
};
use crate::{
    attempt_log::BodyEnd,
    circuit_state::{CircuitState, TransitionReason},
    context::{Priority, Route},
    dialect::Usage,
    fault_kind::FaultKind,
    outcome::{Outcome, Phase, Verdict},
    route::ProviderName,
};

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
        /// The name of the fallback, if there is a fallback layer.
        name: Option<Arc<str>>,
        /// The position of the target among the equal targets of the fallback, from 0; `None` if it has one target.
        equal: Option<u16>,
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
        /// The priority of the call.
        priority: Priority,
        /// The expected wait.
        expected: Duration,
    },
    /// An attempt has left the queue of a limit. Emitted once for each [`LimitQueued`](Self::LimitQueued), also for a call that is
    /// cancelled while it waits.
    #[non_exhaustive]
    LimitWaited {
        /// The route of the limit.
        route: Route,
        /// The priority of the call.
        priority: Priority,
        /// How long the attempt was in the queue.
        waited: Duration,
        /// Whether the attempt was let through; if not, it was refused or cancelled.
        admitted: bool,
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
    /// Chaos is on: emitted with the first attempt after it was switched on, and then once in [`LOG_INTERVAL`](super::LOG_INTERVAL)
    /// while there are attempts.
    #[non_exhaustive]
    ChaosOn {
        /// The kinds of faults injected since it was switched on, each with its count.
        injected: Arc<[(FaultKind, u64)]>,
        /// The time until it switches itself off.
        ends_in: Duration,
    },
    /// A fault was injected into an attempt on purpose.
    #[non_exhaustive]
    FaultInjected {
        /// The route of the attempt.
        route: Route,
        /// The kind of the fault.
        fault: FaultKind,
    },
    /// Chaos has ended. Emitted with the next attempt, or when a fault in progress is ended by it.
    #[non_exhaustive]
    ChaosOff {
        /// The kinds of faults that were injected, each with its count.
        injected: Arc<[(FaultKind, u64)]>,
        /// Whether its time was over; if not, it was switched off.
        expired: bool,
    },
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
        /// The number of this change among those of its breaker, from 1. Two changes at the same time may arrive out of order: the
        /// higher number is the later one.
        number: u64,
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
    /// The provider's answer is handed on in another form than it had: a stream as an answer in one piece, or the reverse. Emitted
    /// before the end of its attempt.
    #[non_exhaustive]
    AnswerConverted {
        /// The route of the attempt.
        route: Route,
        /// Whether the caller gets a stream.
        stream: bool,
    },
    /// An attempt has an outcome.
    #[non_exhaustive]
    AttemptEnded {
        /// The route of the attempt.
        route: Route,
        /// The number of the attempt at this fallback, from 1.
        attempt: u32,
        /// The name of the provider, as in the span of the attempt.
        provider: ProviderName,
        /// The outcome, with the provider's code.
        verdict: Verdict,
        /// The HTTP status, if there was a response.
        status: Option<u16>,
        /// The duration up to the commit point.
        took: Duration,
        /// Whether it belongs to a second copy of the call.
        hedge: bool,
        /// The time from the start of the attempt to the first content of a stream.
        first_content: Option<Duration>,
        /// The tokens of an answer that failed, where it reports them. Those of a success are in the [`CallReport`].
        wasted: Option<Usage>,
        /// The share of the route's retry budget that is left, from 0 to 1.
        budget_left: f64,
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
        /// Where the answer is from.
        source: AnswerSource,
        /// The route of the attempt that answered; else that of the first attempt.
        route: Option<Route>,
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
    /// The call is over: its answer was read to its end or dropped, or there was none. The last event of a call, once for each.
    #[non_exhaustive]
    CallClosed {
        /// What is known of the call, as in its span.
        report: Arc<CallReport>,
    },
}
