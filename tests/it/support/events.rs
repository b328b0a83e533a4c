//! The events of a client or a layer.

use std::sync::{Arc, Mutex, Once};

use evenkeel::{
    ClientBuilder,
    outcome::Outcome,
    telemetry::{Event, EventSink},
};
use tokio::time::Instant;

/// The events of a client or a layer, with their times.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLog(Arc<Mutex<Vec<(Instant, Event)>>>);

// === impl EventLog ===

impl EventLog {
    /// Records the events of the client that is built.
    pub(crate) fn attach_to(&self, builder: ClientBuilder) -> ClientBuilder {
        let log = self.clone();
        builder.observe(move |event: &Event| log.push(event))
    }

    /// A sink for a layer that stands alone.
    pub(crate) fn sink(&self) -> EventSink {
        let log = self.clone();
        EventSink::new(move |event: &Event| log.push(event))
    }

    fn push(&self, event: &Event) {
        self.0.lock().unwrap().push((Instant::now(), event.clone()));
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().iter().map(|(_, event)| event.clone()).collect()
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(|(_, event)| event_name(event)).collect()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.names().iter().filter(|recorded| **recorded == name).count()
    }

    /// The times at which attempts met a rate limit.
    pub(crate) fn rate_limited_at(&self) -> Vec<Instant> {
        let log = self.0.lock().unwrap();
        let limited = log.iter().filter(|(_, event)| match event {
            Event::AttemptEnded { verdict, .. } => {
                matches!(verdict.outcome(), Outcome::RateLimited { .. })
            }
            _ => false,
        });
        limited.map(|(at, _)| *at).collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// The name of an event, as its variant is called.
#[track_caller]
pub(crate) fn event_name(event: &Event) -> &'static str {
    match event {
        Event::CallStarted => "CallStarted",
        Event::CacheHit { .. } => "CacheHit",
        Event::CacheMiss { .. } => "CacheMiss",
        Event::Coalesced => "Coalesced",
        Event::FallbackSkipped { .. } => "FallbackSkipped",
        Event::FallbackEntered { .. } => "FallbackEntered",
        Event::RequestEdited { .. } => "RequestEdited",
        Event::AttemptStarted { .. } => "AttemptStarted",
        Event::BreakerRefused { .. } => "BreakerRefused",
        Event::LimitQueued { .. } => "LimitQueued",
        Event::LimitRefused { .. } => "LimitRefused",
        Event::Hedged { .. } => "Hedged",
        Event::ProbeRaced { .. } => "ProbeRaced",
        Event::ConnectionLost { .. } => "ConnectionLost",
        Event::TimedOut { .. } => "TimedOut",
        Event::LimitClosed { .. } => "LimitClosed",
        Event::BreakerChanged { .. } => "BreakerChanged",
        Event::TargetEjected { .. } => "TargetOut",
        Event::AttemptEnded { .. } => "AttemptEnded",
        Event::RetryWaiting { .. } => "RetryWaiting",
        Event::RetryStopped { .. } => "RetryStopped",
        Event::CallEnded { .. } => "CallEnded",
        Event::Resumed { .. } => "Resumed",
        Event::StreamSlow { .. } => "StreamSlow",
        Event::CacheStored { .. } => "CacheStored",
        Event::CacheFailed => "CacheFailed",
        Event::Panicked { .. } => "Panicked",
        Event::BodyEnded { .. } => "BodyEnded",
        other => panic!("an event without a name: {other:?}"),
    }
}

/// Keeps every event and span of `tracing` switched on: what a thread without a subscriber meets first would else be
/// switched off for all of them.
pub(crate) fn enable_all_tracing() {
    static ALWAYS: Once = Once::new();
    let everywhere = || tracing::subscriber::set_global_default(tracing_subscriber::registry());
    ALWAYS.call_once(|| everywhere().expect("no other global subscriber is set"));
}
