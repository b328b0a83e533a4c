//! The provider: its configured answers and its received attempts.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use http::HeaderMap;
use tokio::{sync::watch, time::Instant};

use crate::{
    provider::{
        AttemptState, ReceivedAttempt, Strict,
        attempt::AttemptRecords,
        endpoints::not_found,
        prefill::PrefillMode,
        reply_source::{CurrentLoad, OpenedConnection, ReplySource},
    },
    reply::{CREDENTIALS, Reply, RequestFacts, Script},
    sync::lock,
};

/// A provider in process.
///
/// A handle: clones are the same provider. It is a [`Service`](tower::Service) that is always ready; a
/// [`Server`](crate::Server) puts it on a socket.
#[derive(Clone)]
pub struct Provider(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    state: Mutex<Inner>,
    changed: watch::Sender<()>,
}

pub(super) struct Inner {
    pub(super) source: ReplySource,
    attempts: AttemptRecords,
    pub(super) key: Option<Box<str>>,
    pub(super) prefill: PrefillMode,
    pub(super) strict: Option<Strict>,
    /// Whether it answers at paths that no API has.
    pub(super) any_path: bool,
    connections: u64,
}

// === impl Provider ===

impl Provider {
    /// The number of attempts that are kept. Later attempts are only counted.
    pub const MAX: usize = AttemptRecords::MAX;

    /// A provider of that name with a whole answer to every attempt, without latency.
    pub fn new(name: &str) -> Self {
        let (source, prefill) = (ReplySource::new(Instant::now()), PrefillMode::Ignored);
        let state = Inner {
            source,
            attempts: AttemptRecords::default(),
            key: None,
            prefill,
            strict: None,
            any_path: false,
            connections: 0,
        };
        let changed = watch::Sender::new(());
        Self(Arc::new(Shared { name: name.into(), state: state.into(), changed }))
    }

    /// The name: the value of the header `x-served-by`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The attempts received, in order.
    pub fn attempts(&self) -> Vec<ReceivedAttempt> {
        lock(&self.0.state).attempts.kept.clone()
    }

    /// The number of attempts received.
    pub fn count(&self) -> u64 {
        lock(&self.0.state).attempts.count
    }

    /// The number of attempts that the client dropped before the answer was complete.
    pub fn cancelled(&self) -> u64 {
        lock(&self.0.state).attempts.cancelled
    }

    /// The number of attempts in progress.
    pub fn in_flight(&self) -> usize {
        lock(&self.0.state).attempts.in_flight
    }

    /// Drops the attempts received, so that a test counts from here.
    pub fn forget(&self) {
        lock(&self.0.state).attempts.forget();
    }

    /// Counts an attempt whose connection was refused, with the headers of its request: only the client knows of it. It uses
    /// up a refused reply that is configured for the next attempt.
    pub fn note_refused(&self, headers: &HeaderMap) {
        let facts = RequestFacts::read("", headers, b"");
        self.clone().change(|state| {
            let number = state.attempts.begin("", headers, &facts);
            state.attempts.end(number, AttemptState::Completed);
            if state.source.next.front().is_some_and(Reply::is_refused) {
                state.source.next.pop_front();
            }
        });
    }

    /// Records an attempt and decides its answer. Returns the number of the attempt.
    pub(super) fn plan_attempt(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (u64, Script) {
        let mut facts = RequestFacts::read(path, headers, body);
        let now = Instant::now();
        let mut state = lock(&self.0.state);
        let load = state.load();
        let Inner { source, attempts, key, prefill, strict, any_path, .. } = &mut *state;
        let is_known = key.as_ref().is_none_or(|key| has_key(headers, key));
        let rejected = strict.and_then(|strict| strict.reject(body));
        let reply = match prefill.reply(&facts).or(rejected) {
            _ if !is_known => Reply::error(401, "invalid_request_error", "invalid_api_key"),
            Some(rejected) => rejected,
            None => {
                let reply = source.reply(now, &facts, &load);
                not_found(path, &reply).filter(|_| !*any_path).unwrap_or(reply)
            }
        };
        let number = attempts.begin(path, headers, &facts);
        prefill.read(&mut facts);
        let refuses = source.next.front().is_some_and(Reply::is_refused);
        drop(state);
        // A listener closes before the next attempt.
        let _ = refuses.then(|| self.0.changed.send_replace(()));
        (number, reply.script(&facts, &self.0.name))
    }

    /// Records the end of an attempt.
    pub(super) fn end_attempt(&self, number: u64, state: AttemptState) {
        lock(&self.0.state).attempts.end(number, state);
    }

    /// Counts a connection in process to the node that answers now.
    pub(super) fn count_connection(&self) -> OpenedConnection {
        let mut state = lock(&self.0.state);
        state.connections += 1;
        OpenedConnection { number: state.connections, node: state.source.node(Instant::now()) }
    }

    /// The node that answers now: how often it has been replaced.
    pub(crate) fn node(&self) -> usize {
        lock(&self.0.state).source.node(Instant::now())
    }

    /// Whether connections are refused now.
    pub(crate) fn is_refusing(&self) -> bool {
        lock(&self.0.state).source.is_refusing(Instant::now())
    }

    /// The next time at which [`is_refusing`](Self::is_refusing) may change without a change of the configuration.
    pub(crate) fn next_change(&self) -> Option<Instant> {
        lock(&self.0.state).source.next_change(Instant::now())
    }

    /// Notifies of each change of the configuration.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    pub(super) fn change(self, change: impl FnOnce(&mut Inner)) -> Self {
        change(&mut lock(&self.0.state));
        self.0.changed.send_replace(());
        self
    }
}

// === impl Inner ===

impl Inner {
    fn load(&self) -> CurrentLoad {
        CurrentLoad { in_flight: self.attempts.in_flight, earlier: self.attempts.count }
    }
}

/// Whether a request has that key.
fn has_key(headers: &HeaderMap, key: &str) -> bool {
    let values = CREDENTIALS.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    values.into_iter().any(|value| value.strip_prefix("Bearer ").unwrap_or(value) == key)
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0.state);
        f.debug_struct("Provider")
            .field("name", &self.0.name)
            .field("attempts", &state.attempts.count)
            .field("in_flight", &state.attempts.in_flight)
            .finish_non_exhaustive()
    }
}
