//! What the breakers did.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel::telemetry::{Event, Observer};
use tokio::time::Instant;

/// Takes down every change of a breaker's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<Entry>>>);

#[derive(Clone, Debug)]
struct Entry {
    at: Instant,
    provider: Box<str>,
    model: Box<str>,
    to: &'static str,
}

/// A breaker changed its state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// When, in the time of the incident.
    pub(crate) at: Duration,
    /// Whose breaker it is.
    pub(crate) client: Box<str>,
    /// Whether it is a breaker for the primary.
    pub(crate) primary: bool,
    /// The model that it is for, and what it is asked without.
    pub(crate) model: Box<str>,
    /// The state it is in since.
    pub(crate) to: &'static str,
}

/// A breaker that changes more often is not drawn to the end.
const MOST: usize = 1 << 16;

// === impl Journal ===

impl Journal {
    /// The changes of a client, in the time of an incident that began then; `primary` is the URL of the primary.
    pub(crate) fn changes(
        &self,
        client: &str,
        (start, scale): (Instant, f64),
        primary: &str,
    ) -> Vec<Change> {
        let host = primary.trim_start_matches("http://");
        let change = |entry: &Entry| Change {
            at: entry.at.saturating_duration_since(start).div_f64(scale),
            client: client.into(),
            primary: &*entry.provider == host,
            model: entry.model.clone(),
            to: entry.to,
        };
        self.0.lock().map(|entries| entries.iter().map(change).collect()).unwrap_or_default()
    }
}

impl Observer for Journal {
    fn observe(&self, event: &Event) {
        let Event::BreakerChanged { route, to, .. } = event else { return };
        let Ok(mut entries) = self.0.lock() else { return };
        if entries.len() < MOST {
            let (provider, model) = (route.provider().into(), route.model().into());
            entries.push(Entry { at: Instant::now(), provider, model, to });
        }
    }
}
