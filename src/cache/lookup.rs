//! Looks up answers in a store, and stores them.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, OnceLock},
    task::Poll,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use tokio::time::{Instant, timeout};

use super::{CachePolicy, Entry, Key, coalesce::Flights, entry::Shape};
use crate::{
    BoxError, Request, Response,
    coding::{Codings, decode_start},
    context::{Found, Lookup, SERVED_BY},
    dialect::{AnswerSummary, RequestInfo, UsageHandle},
    outcome::{Outcome, Verdict},
    served_by::Hit,
    stream::Tap,
    target::SpokenDialects,
    telemetry::{Degradation, EventKind, EventSink, MissReason, UserCode},
};

/// The state that all calls through one cache share.
pub(super) struct Shared {
    pub(super) policy: CachePolicy,
    pub(super) events: EventSink,
    /// The dialects that the targets below declare.
    pub(super) dialects: SpokenDialects,
    pub(super) flights: Arc<Flights>,
    /// The same moment on both clocks.
    pub(super) epoch: OnceLock<(SystemTime, Instant)>,
}

/// The place of one request's answer in the store.
#[derive(Clone)]
pub(super) struct CacheSlot {
    shared: Arc<Shared>,
    pub(super) key: Key,
    pub(super) info: Arc<RequestInfo>,
    /// Whether the caller accepts a stored answer.
    pub(super) takes: bool,
}

/// Collects the bytes of an answer as they pass.
struct Recorder {
    slot: CacheSlot,
    content_type: HeaderValue,
    codings: Codings,
    bytes: BytesMut,
    fits: bool,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(policy: CachePolicy, events: EventSink) -> Self {
        let dialects = SpokenDialects::default();
        Self { policy, events, dialects, flights: Arc::default(), epoch: OnceLock::new() }
    }

    /// The time of day, advanced by tokio's clock.
    fn now(&self) -> SystemTime {
        let (wall, start) = self.epoch.get_or_init(|| (SystemTime::now(), Instant::now()));
        *wall + start.elapsed()
    }
}

// === impl CacheSlot ===

impl CacheSlot {
    /// The place of a request; `None` if its answer must not be stored, by its kind or by the caller's `no-store`.
    pub(super) fn of(shared: &Arc<Shared>, request: &mut Request) -> Option<Self> {
        let said = |word: &str| {
            let values = request.headers().get_all(header::CACHE_CONTROL).iter();
            let words = values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
            words.map(str::trim).any(|found| found.eq_ignore_ascii_case(word))
        };
        let (never, anew) = (said("no-store"), said("no-cache"));
        if never || request.method() != http::Method::POST {
            return None;
        }
        if request.body().len() > shared.policy.max_request_bytes {
            return None;
        }
        let info = shared.dialects.read(request);
        let key = Key::of(request, &info, &shared.policy.vary)?;
        Some(Self { shared: shared.clone(), key, info, takes: !anew })
    }

    /// The stored answer, if it is at most `most` old. `left` is the time that the call has left.
    pub(super) async fn find(&self, most: Duration, left: Option<Duration>) -> Option<Response> {
        let events = &self.shared.events;
        match self.look(most, left).await {
            Ok((response, hit)) => {
                events.emit(EventKind::CacheHit { age: hit.age, stale: hit.stale });
                Some(response)
            }
            Err(why) => {
                events.emit(EventKind::CacheMiss { reason: why });
                None
            }
        }
    }

    async fn look(
        &self,
        most: Duration,
        left: Option<Duration>,
    ) -> Result<(Response, Hit), MissReason> {
        let CachePolicy { store, lookup_timeout: lookup, serve_fresh_for: fresh, .. } =
            &self.shared.policy;
        let limit = left.map_or(*lookup, |left| (left / 2).min(*lookup));
        let events = &self.shared.events;
        let looking = events.guard(UserCode::Store, || store.get(&self.key));
        let mut looking = looking.ok_or(MissReason::Failed)?;
        let find = poll_fn(|cx| {
            let polled = events.guard(UserCode::Store, || looking.as_mut().poll(cx));
            polled.map_or(Poll::Ready(None), |found| found.map(Some))
        });
        let found =
            timeout(limit, find).await.map_err(|_| MissReason::Late)?.ok_or(MissReason::Failed)?;
        let entry = found.map_err(|_| MissReason::Failed)?.ok_or(MissReason::Absent)?;
        // If the clock was set back, the age is zero.
        let age = self.shared.now().duration_since(entry.stored_at()).unwrap_or_default();
        if age > most {
            return Err(MissReason::Old);
        }
        let mut response = entry.replay(&self.info).ok_or(MissReason::Form)?;
        let hit = Hit::new(age, fresh.is_none_or(|fresh| age > fresh));
        response.headers_mut().insert(header::AGE, HeaderValue::from(age.as_secs()));
        hit.mark(&mut response);
        response.extensions_mut().insert(Verdict::new(Outcome::Success));
        Ok((response, hit))
    }

    /// Stores an answer if it is complete, or once it is.
    pub(super) fn record(&self, response: &mut Response) {
        if !is_of_the_first_fallback(response) {
            return;
        }
        let Some(content_type) = response.headers().get(header::CONTENT_TYPE).cloned() else {
            return;
        };
        let codings = Codings::of(response.headers());
        if let Some(bytes) = response.body().bytes() {
            return self.keep_plain(&codings, &content_type, bytes);
        }
        if response.body().size_hint().lower() <= self.shared.policy.max_entry_bytes as u64 {
            let (slot, bytes) = (self.clone(), BytesMut::new());
            let recorder = Recorder { slot, content_type, codings, bytes, fits: true };
            response.body_mut().guarded().tap(Box::new(recorder));
        }
    }

    /// Stores a complete answer without its content codings, if the policy allows it.
    fn keep_plain(&self, codings: &Codings, content_type: &HeaderValue, bytes: Bytes) {
        // The answer may be complete before its coding is. What is too large is not stored.
        let most = self.shared.policy.max_entry_bytes.saturating_add(1);
        let plain = match codings {
            Codings::Plain => bytes,
            coded => decode_start(coded, &bytes, most).into(),
        };
        self.keep(content_type, &plain);
    }

    /// Stores a complete answer, if the policy allows it.
    fn keep(&self, content_type: &HeaderValue, bytes: &Bytes) {
        let policy = &self.shared.policy;
        let fits = bytes.len() <= policy.max_entry_bytes
            && Shape::of(&self.info).fits(content_type, bytes);
        let Some(dialect) = self.info.dialect().filter(|_| fits) else { return };
        let summary = AnswerSummary::read(dialect, self.info.stream(), bytes);
        let Some(summary) = summary.filter(|it| it.whole && (!it.tools || policy.store_tool_calls))
        else {
            return;
        };
        let entry = Entry::new(&self.info, summary, content_type, bytes, self.shared.now());
        let Some(entry) = entry else { return };
        let bytes = entry.weight();
        let events = &self.shared.events;
        let kept: Option<Result<(), BoxError>> =
            events.guard(UserCode::Store, || policy.store.put(&self.key, entry));
        events.emit(match kept {
            Some(Ok(())) => EventKind::CacheStored { bytes },
            Some(Err(_)) | None => EventKind::CacheFailed,
        });
    }
}

/// Whether it is a success from the first target, parsed in its dialect: a fallback's answer never replaces a better one, and
/// local answers are not stored.
fn is_of_the_first_fallback(response: &Response) -> bool {
    let extensions = response.extensions();
    let success = extensions.get().is_some_and(|it: &Verdict| it.outcome().is_success());
    let read = extensions.get::<UsageHandle>().is_some();
    let own = !response.headers().contains_key(SERVED_BY);
    let coded = Codings::of(response.headers()) == Codings::Unknown;
    response.status() == StatusCode::OK && success && read && own && !coded
}

impl Lookup for CacheSlot {
    fn look_up(&self, max_age: Duration, left: Option<Duration>) -> Found<'_> {
        Box::pin(async move {
            let response = self.find(max_age, left).await?;
            let hit = response.extensions().get::<Hit>();
            let stale = hit.is_some_and(|hit| hit.stale);
            let kind = if stale { Degradation::Stale } else { Degradation::Stored };
            Some((response, kind))
        })
    }
}

impl fmt::Debug for CacheSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf")
    }
}

// === impl Recorder ===

impl Tap for Recorder {
    fn bytes(&mut self, bytes: &Bytes) {
        self.fits &= self.bytes.len() + bytes.len() <= self.slot.shared.policy.max_entry_bytes;
        match self.fits {
            true => self.bytes.extend_from_slice(bytes),
            false => self.bytes = BytesMut::new(),
        }
    }

    fn whole(self: Box<Self>) {
        if self.fits {
            let Self { slot, content_type, codings, bytes, .. } = *self;
            slot.keep_plain(&codings, &content_type, bytes.freeze());
        }
    }
}
