//! The changes of breakers: how they are emitted as events, and how to watch them.

use std::{sync::Arc, time::Duration};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    breaker::{CircuitState, TransitionReason, state::Transition},
    context::Route,
    telemetry::{EventKind, EventSink, SharedSink},
};

/// Sends the changes of all breakers of a layer to its listener and to those who watch.
pub(super) struct ChangeHub {
    events: SharedSink,
    changes: broadcast::Sender<Change>,
}

/// How many changes are kept for a reader that is behind.
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
    /// Its route.
    pub route: Route,
    /// The number of this change among those of its breaker, counted from 1. Two changes at one moment may arrive out of
    /// order: the higher number is the later one.
    pub number: u64,
    /// The state it left.
    pub from: CircuitState,
    /// The state it is in.
    pub to: CircuitState,
    /// Why.
    pub reason: TransitionReason,
    /// How long it stays open, where it opened.
    pub lasts: Option<Duration>,
}

/// The changes of all breakers of a layer, from [`Breakers::watch`](super::Breakers::watch) on.
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

    /// Sends events to that sink from now on.
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

    /// Tells of a change. Never called under a lock.
    pub(crate) fn tell(&self, step: Transition) {
        let Transition { number, from, to, reason, lasts } = step;
        let route = self.route.clone();
        // An error means that nobody watches.
        let _ =
            self.hub.changes.send(Change { route: route.clone(), number, from, to, reason, lasts });
        self.hub.emit(EventKind::BreakerChanged { route, from, to, reason, lasts });
    }
}

// === impl Changes ===

impl Changes {
    /// The next change; `None` when the layer and all its breakers are gone.
    ///
    /// A reader that is more than [`Breakers::MAX_UNREAD_CHANGES`](crate::breaker::Breakers::MAX_UNREAD_CHANGES) changes behind misses the oldest ones.
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
