//! The faults, with their settings.

use std::time::Duration;

use http::StatusCode;

use super::FaultKind;

/// A fault that is injected into an attempt.
///
/// A fault without settings is a [`FaultKind`] as well: `ChaosRule::new(FaultKind::Reset)`. One with settings is made from its kind
/// with these:
///
/// # Defaults
///
/// `status` 503 · no `wait` · `delay` 5 s · `events` 5 · `bytes` 512 ([`Drip`](Self::Drip): 64) · `every` 500 ms · `lasts` 10 s ·
/// `count` 20
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    // Without the provider: nothing is sent.
    /// No connection is made.
    Refused,
    /// The connection is reset before any byte of an answer.
    Reset,
    /// The connection is closed before any byte of an answer.
    Closed,
    /// There is no answer, and the connection stays open. If chaos is switched off meanwhile, the request is sent then.
    Hang,
    /// A status with an error body in the shape of the API, without a code.
    Status {
        /// The status, of an error: 400 to 599.
        status: StatusCode,
    },
    /// 429: the requests of the minute are used up.
    RateLimited {
        /// The time in `retry-after`, rounded up to seconds; `None` is no such header.
        wait: Option<Duration>,
    },
    /// The quota, or the money, is used up.
    Quota,
    /// The prompt is longer than the context of the model.
    ContextLength,
    /// A content filter rejects the prompt.
    Blocked,
    /// 200 with an empty body.
    Empty,
    /// 200 with an HTML page, as from a proxy.
    Page,
    /// 200 with an error as its body.
    ErrorBody,
    /// A well-formed answer without content.
    NoContent,

    // In the answer of the provider, if it is a success.
    /// The head is late.
    SlowHead {
        /// By how much.
        delay: Duration,
    },
    /// The first content of a stream is late; of an answer that is not streamed, its body.
    SlowContent {
        /// By how much.
        delay: Duration,
    },
    /// Every event with content is late. For streams alone.
    SlowEvents {
        /// By how much.
        every: Duration,
    },
    /// The connection is reset after that number of bytes of the body.
    ResetAfter {
        /// The number of bytes.
        bytes: usize,
    },
    /// The connection closes after that number of events with content. An answer that is not streamed is cut in its middle.
    Cut {
        /// The number of events.
        events: u32,
    },
    /// Nothing is sent for a time after that number of events with content. Then the connection closes.
    Silence {
        /// The number of events.
        events: u32,
        /// How long the silence lasts.
        lasts: Duration,
    },
    /// Nothing more is sent after that number of events with content, and the connection stays open.
    Stall {
        /// The number of events.
        events: u32,
    },
    /// After that number of events with content comes one more event, which is not JSON. An answer that is not streamed ends in its
    /// middle.
    InvalidEvent {
        /// The number of events.
        events: u32,
    },
    /// After that number of events with content, an event with an error ends the stream. An answer that is not streamed is an error
    /// with status 200.
    ErrorEvent {
        /// The number of events.
        events: u32,
    },
    /// The answer is one JSON body although the request asks for a stream. For streams alone.
    Unstreamed,
    /// After that number of events with content, the last of them is repeated, until chaos ends and the stream is cut. For streams
    /// alone.
    Endless {
        /// The number of events.
        events: u32,
        /// The time between two of them.
        every: Duration,
    },
    /// The last event of the API is missing: `[DONE]`, `message_stop`. For streams alone.
    NoDone,
    /// The finish reason, or `response.completed`, is missing. For streams alone.
    NoFinish,
    /// The body is sent a few bytes at a time.
    Drip {
        /// The number of bytes sent at a time.
        bytes: usize,
        /// The time before each of them.
        every: Duration,
    },
    /// Comments are sent before the first content; blank lines where the answer is not a stream of events.
    Comments {
        /// The time before each of them.
        every: Duration,
        /// The number of comments.
        count: u32,
    },
}

// === impl Fault ===

impl Fault {
    /// The kind of the fault.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Refused => FaultKind::Refused,
            Self::Reset => FaultKind::Reset,
            Self::Closed => FaultKind::Closed,
            Self::Hang => FaultKind::Hang,
            Self::Status { .. } => FaultKind::Status,
            Self::RateLimited { .. } => FaultKind::RateLimited,
            Self::Quota => FaultKind::Quota,
            Self::ContextLength => FaultKind::ContextLength,
            Self::Blocked => FaultKind::Blocked,
            Self::Empty => FaultKind::Empty,
            Self::Page => FaultKind::Page,
            Self::ErrorBody => FaultKind::ErrorBody,
            Self::NoContent => FaultKind::NoContent,
            Self::SlowHead { .. } => FaultKind::SlowHead,
            Self::SlowContent { .. } => FaultKind::SlowContent,
            Self::SlowEvents { .. } => FaultKind::SlowEvents,
            Self::ResetAfter { .. } => FaultKind::ResetAfter,
            Self::Cut { .. } => FaultKind::Cut,
            Self::Silence { .. } => FaultKind::Silence,
            Self::Stall { .. } => FaultKind::Stall,
            Self::InvalidEvent { .. } => FaultKind::InvalidEvent,
            Self::ErrorEvent { .. } => FaultKind::ErrorEvent,
            Self::Unstreamed => FaultKind::Unstreamed,
            Self::Endless { .. } => FaultKind::Endless,
            Self::NoDone => FaultKind::NoDone,
            Self::NoFinish => FaultKind::NoFinish,
            Self::Drip { .. } => FaultKind::Drip,
            Self::Comments { .. } => FaultKind::Comments,
        }
    }

    /// Whether only a stream can have the fault: a request for an answer in one piece is left alone.
    pub(super) fn needs_stream(&self) -> bool {
        matches!(
            self,
            Self::SlowEvents { .. }
                | Self::Unstreamed
                | Self::Endless { .. }
                | Self::NoDone
                | Self::NoFinish
        )
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        let (delay, every) = (Duration::from_secs(5), Duration::from_millis(500));
        let (lasts, events, bytes) = (Duration::from_secs(10), 5, 512);
        match kind {
            FaultKind::Refused => Self::Refused,
            FaultKind::Reset => Self::Reset,
            FaultKind::Closed => Self::Closed,
            FaultKind::Hang => Self::Hang,
            FaultKind::Status => Self::Status { status: StatusCode::SERVICE_UNAVAILABLE },
            FaultKind::RateLimited => Self::RateLimited { wait: None },
            FaultKind::Quota => Self::Quota,
            FaultKind::ContextLength => Self::ContextLength,
            FaultKind::Blocked => Self::Blocked,
            FaultKind::Empty => Self::Empty,
            FaultKind::Page => Self::Page,
            FaultKind::ErrorBody => Self::ErrorBody,
            FaultKind::NoContent => Self::NoContent,
            FaultKind::SlowHead => Self::SlowHead { delay },
            FaultKind::SlowContent => Self::SlowContent { delay },
            FaultKind::SlowEvents => Self::SlowEvents { every },
            FaultKind::ResetAfter => Self::ResetAfter { bytes },
            FaultKind::Cut => Self::Cut { events },
            FaultKind::Silence => Self::Silence { events, lasts },
            FaultKind::Stall => Self::Stall { events },
            FaultKind::InvalidEvent => Self::InvalidEvent { events },
            FaultKind::ErrorEvent => Self::ErrorEvent { events },
            FaultKind::Unstreamed => Self::Unstreamed,
            FaultKind::Endless => Self::Endless { events, every },
            FaultKind::NoDone => Self::NoDone,
            FaultKind::NoFinish => Self::NoFinish,
            FaultKind::Drip => Self::Drip { bytes: 64, every },
            FaultKind::Comments => Self::Comments { every, count: 20 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fault_of_a_kind_is_of_that_kind() {
        for kind in FaultKind::ALL {
            assert_eq!(Fault::from(*kind).kind(), *kind);
        }
    }
}
