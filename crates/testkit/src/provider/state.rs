//! The provider: what it answers, and what it has seen.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::HeaderMap;
use tokio::{sync::watch, time::Instant};

use crate::{
    incident::Schedule,
    provider::{
        Attempt, Capacity, Fate,
        flight::Flight,
        line::Line,
        log::Log,
        prefill::Prefill,
        source::{Found, Limit, Source},
    },
    reply::{CREDENTIALS, Facts, Reply, Script},
    sync::lock,
};

/// A provider in process.
///
/// A handle: clones are the same provider. It is a [`Service`](tower::Service) of one attempt, always ready; a
/// [`Server`](crate::Server) puts it on a socket.
#[derive(Clone)]
pub struct Provider(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

pub(super) struct State {
    source: Source,
    log: Log,
    key: Option<Box<str>>,
    pub(super) prefill: Prefill,
    dialed: u64,
}

// === impl Provider ===

impl Provider {
    /// How many attempts are kept in full; later ones are counted only.
    pub const MAX: usize = Log::MAX;

    /// A provider of that name, which answers every attempt well and at once.
    pub fn new(name: &str) -> Self {
        let (source, prefill) = (Source::new(Instant::now()), Prefill::Ignored);
        let state = State { source, log: Log::default(), key: None, prefill, dialed: 0 };
        let changed = watch::Sender::new(());
        Self(Arc::new(Shared { name: name.into(), state: state.into(), changed }))
    }

    /// Answers the next attempts with these, in order.
    #[must_use]
    pub fn replies(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.change(|state| state.source.next.extend(replies))
    }

    /// Answers so in that spell, counted from when the provider was made, or from [`start_clock`](Self::start_clock).
    #[must_use]
    pub fn during(self, spell: Range<Duration>, reply: Reply) -> Self {
        self.change(|state| state.source.spells.push((spell, reply)))
    }

    /// Answers so whatever brings the tool of that name: it does not work.
    #[must_use]
    pub fn when_tool(self, name: &str, reply: Reply) -> Self {
        self.change(|state| state.source.gone.push((name.into(), reply)))
    }

    /// Answers so whenever nothing else was planned.
    #[must_use]
    pub fn always(self, reply: Reply) -> Self {
        self.change(|state| state.source.then = reply)
    }

    /// Answers so whatever exceeds the capacity.
    #[must_use]
    pub fn capacity(self, capacity: Capacity, over: Reply) -> Self {
        self.change(|state| state.source.limit = Some(Limit::new(capacity, over)))
    }

    /// From now on it takes so much; whatever exceeds it is answered as before, or by a 429 without a wait.
    pub fn limit_to(&self, capacity: Capacity) {
        self.clone().change(|state| {
            let over = state.source.limit.take().map(|limit| limit.over);
            let over = over.unwrap_or_else(|| Reply::rate_limited(None));
            state.source.limit = Some(Limit::new(capacity, over));
        });
    }

    /// Answers 401 whatever does not bring this key, as a bearer token or as the key itself.
    #[must_use]
    pub fn requires(self, key: &str) -> Self {
        self.change(|state| state.key = Some(key.into()))
    }

    /// Follows an incident, whatever else was planned.
    #[must_use]
    pub fn following(self, schedule: Schedule) -> Self {
        self.change(|state| state.source.schedule = Some(schedule))
    }

    /// From now on answers so. Whatever was planned is forgotten; the capacity stays.
    pub fn set(&self, reply: Reply) {
        self.clone().change(|state| {
            let source = &mut state.source;
            let (origin, limit) = (source.origin, source.limit.take());
            *source = Source { limit, then: reply, ..Source::new(origin) };
        });
    }

    /// The clock of the incident, or of the spells, starts now.
    pub fn start_clock(&self) {
        self.clone().change(|state| state.source.start(Instant::now()));
    }

    /// Its name: the value of the header `x-served-by`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The attempts so far, in order.
    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.0.state).log.kept.clone()
    }

    /// How many attempts came so far.
    pub fn count(&self) -> u64 {
        lock(&self.0.state).log.count
    }

    /// How many attempts were dropped by the client before the provider had done with them.
    pub fn cancelled(&self) -> u64 {
        lock(&self.0.state).log.cancelled
    }

    /// How many attempts are under way.
    pub fn in_flight(&self) -> usize {
        lock(&self.0.state).log.in_flight
    }

    /// Forgets the attempts so far, so that a test counts from here.
    pub fn forget(&self) {
        lock(&self.0.state).log.forget();
    }

    /// Counts an attempt that found no listener, with the headers of its request: nobody but the client knows of it. It
    /// takes the place of a refused reply that was planned for the next attempt.
    pub fn note_refused(&self, headers: &HeaderMap) {
        let facts = Facts::read("", headers, b"");
        self.clone().change(|state| {
            let number = state.log.begin(&facts, Instant::now());
            state.log.end(number, Fate::Done);
            if state.source.next.front().is_some_and(Reply::is_refused) {
                state.source.next.pop_front();
            }
        });
    }

    /// An attempt has come: what is to be done with it.
    pub(crate) fn begin(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> (Flight, Script) {
        let mut facts = Facts::read(path, headers, body);
        let now = Instant::now();
        let mut state = lock(&self.0.state);
        let State { source, log, key, prefill, .. } = &mut *state;
        let found = Found { in_flight: log.in_flight, nth: log.count };
        let known = key.as_ref().is_none_or(|key| brings(headers, key));
        let reply = match prefill.reply(&facts) {
            _ if !known => Reply::error(401, "invalid_request_error", "invalid_api_key"),
            Some(rejected) => rejected,
            None => source.reply(now, &facts, &found),
        };
        let number = log.begin(&facts, now);
        prefill.read(&mut facts);
        let refuses = source.next.front().is_some_and(Reply::is_refused);
        drop(state);
        if refuses {
            // A listener has to close before the next attempt.
            self.0.changed.send_replace(());
        }
        (Flight::new(self.clone(), number), reply.script(&facts, &self.0.name))
    }

    /// An attempt has ended.
    pub(super) fn ended(&self, number: u64, fate: Fate) {
        lock(&self.0.state).log.end(number, fate);
    }

    /// A new connection in process, to the node that answers now.
    pub(super) fn dial(&self) -> Line {
        let mut state = lock(&self.0.state);
        state.dialed += 1;
        Line::new(state.dialed, state.source.node(Instant::now()))
    }

    /// The node that answers now: how often it was replaced so far.
    pub(crate) fn node(&self) -> usize {
        lock(&self.0.state).source.node(Instant::now())
    }

    /// Whether no connection is to be made now.
    pub(crate) fn refusing(&self) -> bool {
        lock(&self.0.state).source.refusing(Instant::now())
    }

    /// When to ask again whether connections are to be made, if time alone can change it.
    pub(crate) fn look_again(&self) -> Option<Instant> {
        lock(&self.0.state).source.look_again(Instant::now())
    }

    /// Tells of every change of what was planned.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    pub(super) fn change(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut lock(&self.0.state));
        self.0.changed.send_replace(());
        self
    }
}

/// Whether a request brings that key.
fn brings(headers: &HeaderMap, key: &str) -> bool {
    let values = CREDENTIALS.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    values.into_iter().any(|value| value.strip_prefix("Bearer ").unwrap_or(value) == key)
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0.state);
        f.debug_struct("Provider")
            .field("name", &self.0.name)
            .field("attempts", &state.log.count)
            .field("in_flight", &state.log.in_flight)
            .finish_non_exhaustive()
    }
}
