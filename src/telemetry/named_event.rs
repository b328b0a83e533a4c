//! An event with its call, and the names of the events.

use super::EventKind;
use crate::attempt_log::CallId;

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
            Self::LimitWaited { .. } => "limit_waited",
            Self::LimitRefused { .. } => "limit_refused",
            Self::CredentialsFetched { .. } => "credentials_fetched",
            Self::CredentialsFailed { .. } => "credentials_failed",
            Self::CredentialsRejected { .. } => "credentials_rejected",
            Self::ChaosOn { .. } => "chaos_on",
            Self::FaultInjected { .. } => "fault_injected",
            Self::ChaosOff { .. } => "chaos_off",
            Self::Hedged { .. } => "hedged",
            Self::ProbeRaced { .. } => "probe_raced",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::TimedOut { .. } => "timed_out",
            Self::LimitClosed { .. } => "limit_closed",
            Self::BreakerChanged { .. } => "breaker_changed",
            Self::TargetEjected { .. } => "target_ejected",
            Self::AnswerConverted { .. } => "answer_converted",
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
            Self::CallClosed { .. } => "call_closed",
        }
    }
}
