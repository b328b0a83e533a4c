//! Records the state changes of the breakers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::{
    breaker::TransitionReason,
    telemetry::{Event, EventKind, Observer},
};
use tokio::time::Instant;

/// Records every state change of a breaker. Clones share one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct BreakerLog(Arc<Mutex<Vec<LogEntry>>>);

#[derive(Clone, Debug)]
struct LogEntry {
    at: Instant,
    provider: Box<str>,
    model: Box<str>,
    to: &'static str,
    reason: TransitionReason,
    lasts: Option<Duration>,
}

/// One state change of a breaker.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BreakerChange {
    /// The time since the start of the incident.
    pub(crate) at: Duration,
    /// The client that owns the breaker.
    pub(crate) client: Box<str>,
    /// Whether the route of the breaker leads to the primary.
    pub(crate) primary: bool,
    /// The model of the route and, after a colon, the variant of the request.
    pub(crate) model: Box<str>,
    /// The new state.
    pub(crate) to: &'static str,
    pub(crate) reason: TransitionReason,
    /// How long the breaker stays open, if it opened.
    pub(crate) lasts: Option<Duration>,
}

/// When a run started, and how long a second of the incident lasts in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunStart {
    pub(crate) at: Instant,
    pub(crate) scale: f64,
}

/// The maximum number of recorded changes. Later changes are dropped.
const MAX_ENTRIES: usize = 1 << 16;

// === impl BreakerLog ===

impl BreakerLog {
    /// The recorded changes of `client`. Their times are converted to the time of the incident. `primary` is the URL of
    /// the primary.
    pub(crate) fn changes(
        &self,
        client: &str,
        start: RunStart,
        primary: &str,
    ) -> Vec<BreakerChange> {
        let host = primary.trim_start_matches("http://");
        let change = |entry: &LogEntry| BreakerChange {
            at: entry.at.saturating_duration_since(start.at).div_f64(start.scale),
            client: client.into(),
            primary: &*entry.provider == host,
            model: entry.model.clone(),
            to: entry.to,
            reason: entry.reason,
            lasts: entry.lasts.map(|lasts| lasts.div_f64(start.scale)),
        };
        self.0.lock().map(|entries| entries.iter().map(change).collect()).unwrap_or_default()
    }
}

impl Observer for BreakerLog {
    fn observe(&self, event: &Event) {
        let EventKind::BreakerChanged { route, to, reason, lasts, .. } = &event.kind else {
            return;
        };
        let Ok(mut entries) = self.0.lock() else { return };
        if entries.len() < MAX_ENTRIES {
            let (provider, model) = (route.provider().into(), route.model().into());
            let (to, reason, lasts) = (to.name(), *reason, *lasts);
            entries.push(LogEntry { at: Instant::now(), provider, model, to, reason, lasts });
        }
    }
}
