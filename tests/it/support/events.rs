//! The events of a client or a layer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Once},
};

use evenkeel::{
    ClientBuilder,
    context::CallId,
    outcome::Outcome,
    telemetry::{Event, EventKind, EventSink},
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

    /// A sink for a single layer.
    pub(crate) fn sink(&self) -> EventSink {
        let log = self.clone();
        EventSink::new(move |event: &Event| log.push(event))
    }

    fn push(&self, event: &Event) {
        self.0.lock().unwrap().push((Instant::now(), event.clone()));
    }

    pub(crate) fn events(&self) -> Vec<EventKind> {
        self.0.lock().unwrap().iter().map(|(_, event)| event.kind.clone()).collect()
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(|(_, event)| event.name()).collect()
    }

    /// The names of the events of each call, in the order of the calls; `None` is for events without a call.
    pub(crate) fn by_call(&self) -> BTreeMap<Option<CallId>, Vec<&'static str>> {
        let mut calls: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (_, event) in self.0.lock().unwrap().iter() {
            calls.entry(event.call).or_default().push(event.name());
        }
        calls
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.names().iter().filter(|recorded| **recorded == name).count()
    }

    /// The times at which attempts met a rate limit.
    pub(crate) fn rate_limited_at(&self) -> Vec<Instant> {
        let log = self.0.lock().unwrap();
        let limited = log.iter().filter(|(_, event)| match &event.kind {
            EventKind::AttemptEnded { verdict, .. } => {
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

/// Enables every event and span of `tracing`: otherwise one that is first reached on a thread without a subscriber is disabled
/// for all threads.
pub(crate) fn enable_all_tracing() {
    static ALWAYS: Once = Once::new();
    let everywhere = || tracing::subscriber::set_global_default(tracing_subscriber::registry());
    ALWAYS.call_once(|| everywhere().expect("no other global subscriber is set"));
}
