//! The changes of breakers: emitted as events and as a stream.

use std::{sync::Arc, time::Duration};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    breaker::{CircuitState, TransitionReason, state::Transition},
    context::Route,
    telemetry::{EventKind, EventSink, SharedSink},
};

/// Sends the changes of all breakers of a layer to the event sink and to the watchers.
pub(super) struct ChangeHub {
    events: SharedSink,
    changes: broadcast::Sender<Change>,
}

/// How many changes are kept for a slow reader.
pub(super) const KEPT: usize = 256;

/// Sends the changes of one breaker.
pub(crate) struct ChangeNotifier {
    route: Route,
    hub: Arc<ChangeHub>,
}

/// One change of one breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The route of the breaker.
    pub route: Route,
    /// The number of this change among those of its breaker, counted from 1. Two changes at the same time may arrive out of
    /// order: the higher number is the later one.
    pub number: u64,
    /// The state before.
    pub from: CircuitState,
    /// The state after.
    pub to: CircuitState,
    /// The reason for the change.
    pub reason: TransitionReason,
    /// How long the breaker stays open, if it opened.
    pub lasts: Option<Duration>,
}

/// A stream of the changes of all breakers of a layer, starting with [`Breakers::watch`](super::Breakers::watch).
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

// === impl ChangeHub ===

impl ChangeHub {
    pub(super) fn new() -> Self {
        Self { events: SharedSink::default(), changes: broadcast::Sender::new(KEPT) }
    }

    pub(super) fn watch(&self) -> Changes {
        Changes(self.changes.subscribe())
    }

    /// Sets the sink for events from now on.
    pub(super) fn send_to(&self, events: EventSink) {
        self.events.set(events);
    }

    pub(super) fn emit(&self, event: EventKind) {
        self.events.emit(event);
    }
}

// === impl ChangeNotifier ===

impl ChangeNotifier {
    pub(super) fn new(route: Route, hub: Arc<ChangeHub>) -> Self {
        Self { route, hub }
    }

    /// Sends a change. Never called under a lock.
    pub(crate) fn tell(&self, step: Transition) {
        let Transition { number, from, to, reason, lasts } = step;
        let route = self.route.clone();
        // An error means that there is no watcher.
        let _ =
            self.hub.changes.send(Change { route: route.clone(), number, from, to, reason, lasts });
        self.hub.emit(EventKind::BreakerChanged { route, from, to, reason, lasts, number });
    }
}

// === impl Changes ===

impl Changes {
    /// The next change; `None` once the layer and all its breakers are dropped.
    ///
    /// A reader that is more than [`Breakers::MAX_UNREAD_CHANGES`](crate::breaker::Breakers::MAX_UNREAD_CHANGES) changes behind
    /// misses the oldest ones.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            match self.0.recv().await {
                Ok(change) => return Some(change),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
