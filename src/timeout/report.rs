//! The events of the limits on a body, emitted at its end.

use std::time::Duration;

use crate::{
    context::Route,
    outcome::{Outcome, Phase},
    stream::{BodyEnd, ThroughputMeter},
    telemetry::{EventKind, EventSink},
};

/// Emits which limit passed in a body, and whether the stream was too slow.
pub(super) struct TimeoutReporter {
    pub(super) events: EventSink,
    pub(super) idle: Duration,
    pub(super) whole_stream: Option<Duration>,
    /// The throughput meter and its route, if a minimum is set.
    pub(super) pace: Option<(ThroughputMeter, Route)>,
}

// === impl TimeoutReporter ===

impl TimeoutReporter {
    pub(super) fn tell(self, ending: &BodyEnd) {
        if let Some((pace, route)) = self.pace {
            if let Some(slow) = pace.slow() {
                let (events, within) = (slow.events, slow.within);
                self.events.emit(EventKind::StreamSlow { route, events, within });
            }
        }
        let after = match ending {
            BodyEnd::Failed(Outcome::TimedOut { phase: Phase::Idle }) => Some(self.idle),
            BodyEnd::Failed(Outcome::TimedOut { phase: Phase::Stream }) => self.whole_stream,
            _ => None,
        };
        if let (Outcome::TimedOut { phase }, Some(after)) = (ending.outcome(), after) {
            self.events.emit(EventKind::TimedOut { phase, after });
        }
    }
}
