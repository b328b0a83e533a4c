//! The values of one call, carried in [`http::Extensions`].
//!
//! A caller may put a [`Deadline`] or a [`Priority`] into a request. The stack carries one [`Call`] from layer to layer,
//! and puts the [`Journey`] into every response it gives back.

use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{Request, classify::Outcome, dialect::Ask, sync::lock_std as lock, timeout::Pulse};

/// The moment by which a call has its answer. Put one into a request's extensions to set it for that call alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// Who goes first where calls wait: interactive before batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// A person waits.
    #[default]
    Interactive,
    /// Nobody waits.
    Batch,
}

/// The key of shared state: provider, model and credential. One breaker and one budget per route.
///
/// The credential is a label, or a fingerprint that is new in every process; never the credential itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Route(Arc<RouteParts>);

#[derive(PartialEq, Eq, Hash)]
struct RouteParts {
    provider: Box<str>,
    model: Box<str>,
    credential: Box<str>,
}

/// What the stack knows of a call, in the extensions of its request.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) route: Option<Route>,
    pub(crate) ask: Option<Arc<Ask>>,
    pub(crate) journey: Journey,
    pub(crate) rung: u16,
    /// The name of the rung, where a ladder is.
    pub(crate) name: Option<Arc<str>>,
    /// The body can be sent only once: no retry, no other target.
    pub(crate) once: bool,
    /// Where what reads a stream ahead, inside a streamed attempt, tells that content has come.
    pub(crate) pulse: Option<Pulse>,
}

/// What happened to a call: its attempts, in order.
///
/// A handle: clones show the same journey, which goes on until the body of the answer has ended. It keeps the first
/// [`MAX`](Self::MAX) attempts and counts the rest.
#[derive(Clone, Default)]
pub struct Journey(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    attempts: Vec<Attempt>,
    more: u32,
    sent: u32,
    rung: Option<Arc<str>>,
    probe: bool,
}

/// One attempt of a call, or one refusal of ours.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The rung of the ladder, from 0.
    pub rung: u16,
    /// The name of the rung, where a ladder is.
    pub name: Option<Arc<str>>,
    /// Where it went, or would have gone.
    pub route: Route,
    /// What it came to.
    pub outcome: Outcome,
    /// How long the call waited before it.
    pub wait: Duration,
    /// How long it took, to the commit point.
    pub took: Duration,
}

// === impl Deadline ===

impl Deadline {
    /// A deadline at that moment.
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// A deadline that long after now.
    pub fn within(limit: Duration) -> Self {
        Self(later(Instant::now(), limit))
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// How long is left at `now`; zero when it has passed.
    pub fn left(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// The deadline that much earlier.
    pub(crate) fn less(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }
}

/// `now + limit`, or some thirty years on where that is past the end of time.
pub(crate) fn later(now: Instant, limit: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(limit.min(FAR)).unwrap_or(now)
}

// === impl Route ===

impl Route {
    /// A route by its three parts. `credential` is a label for people, such as `team-a`: never the secret itself.
    pub fn new(provider: &str, model: &str, credential: &str) -> Self {
        Self(Arc::new(RouteParts {
            provider: provider.into(),
            model: model.into(),
            credential: credential.into(),
        }))
    }

    /// The route of a request that no target was chosen for: its host, the model in its body, and a fingerprint of its
    /// credential.
    pub(crate) fn of(request: &Request, ask: &Ask) -> Self {
        let model = ask.model().unwrap_or("-");
        Self::new(&provider(request.uri()), model, &fingerprint(request.headers()))
    }

    /// The provider: a name, or the host of its base URL.
    pub fn provider(&self) -> &str {
        &self.0.provider
    }

    /// The model, or `-` where none is known.
    pub fn model(&self) -> &str {
        &self.0.model
    }

    /// The label or fingerprint of the credential, or `-` where there is none.
    pub fn credential(&self) -> &str {
        &self.0.credential
    }
}

/// The host and port of a URI, without a user that may stand before them.
pub(crate) fn provider(uri: &http::Uri) -> Cow<'_, str> {
    match (uri.host(), uri.port_u16()) {
        (Some(host), Some(port)) => format!("{host}:{port}").into(),
        (Some(host), None) => host.into(),
        (None, _) => "local".into(),
    }
}

/// The headers that carry a credential, of all providers.
pub(crate) const CREDENTIALS: [&str; 4] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// Eight hexadecimal digits that tell one credential from another within this process, and nothing else.
pub(crate) fn fingerprint(headers: &http::HeaderMap) -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hasher = KEY.build_hasher();
    let mut any = false;
    for value in CREDENTIALS.iter().filter_map(|name| headers.get(*name)) {
        value.as_bytes().hash(&mut hasher);
        any = true;
    }
    if any { format!("{:08x}", hasher.finish() as u32) } else { "-".into() }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RouteParts { provider, model, credential } = &*self.0;
        write!(f, "{provider}/{model}#{credential}")
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl Call ===

impl Call {
    /// The call of a request; a new one for a request that has none yet, so that each layer can be used alone.
    pub(crate) fn of(request: &mut Request) -> &mut Self {
        if request.extensions().get::<Self>().is_none() {
            let deadline = request.extensions().get::<Deadline>().copied();
            request.extensions_mut().insert(Self { deadline, ..Self::default() });
        }
        request.extensions_mut().get_or_insert_with(Self::default)
    }

    /// What the request asks for, read once for the whole call.
    pub(crate) fn ask(request: &mut Request) -> Arc<Ask> {
        if let Some(ask) = &Self::of(request).ask {
            return ask.clone();
        }
        let ask = Arc::new(Ask::read(request));
        Self::of(request).ask = Some(ask.clone());
        ask
    }

    /// The route of the request: its target's, or one made from what it says.
    pub(crate) fn route(request: &mut Request) -> Route {
        if let Some(route) = &Self::of(request).route {
            return route.clone();
        }
        let ask = Self::ask(request);
        let route = Route::of(request, &ask);
        Self::of(request).route = Some(route.clone());
        route
    }
}

// === impl Attempt ===

impl Attempt {
    /// Whether it came to the same at the same place.
    fn is_like(&self, other: &Self) -> bool {
        let same = self.rung == other.rung && self.route == other.route;
        same && self.outcome.name() == other.outcome.name()
    }
}

// === impl Journey ===

impl Journey {
    /// How many attempts it keeps.
    pub const MAX: usize = 64;

    /// The attempts so far: the first [`MAX`](Self::MAX).
    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.0).attempts.clone()
    }

    /// How many attempts were sent, kept or not; refusals of ours are not.
    pub fn sent(&self) -> u32 {
        lock(&self.0).sent
    }

    /// The name of the rung that answered; `None` while none has, or where there is no ladder.
    pub fn rung(&self) -> Option<Arc<str>> {
        lock(&self.0).rung.clone()
    }

    pub(crate) fn push(&self, attempt: Attempt) {
        let mut log = lock(&self.0);
        if !matches!(attempt.outcome, Outcome::Refused { .. }) {
            log.sent = log.sent.saturating_add(1);
        }
        if log.attempts.len() < Self::MAX {
            log.attempts.push(attempt);
        } else {
            log.more = log.more.saturating_add(1);
        }
    }

    pub(crate) fn answered_by(&self, rung: Arc<str>) {
        lock(&self.0).rung = Some(rung);
    }

    /// Says that the attempt under way is a breaker's probe, or no longer.
    pub(crate) fn probing(&self, probe: bool) {
        lock(&self.0).probe = probe;
    }

    /// Whether the attempt under way is a breaker's probe, so that the ladder can race it.
    pub fn is_probe(&self) -> bool {
        lock(&self.0).probe
    }
}

impl fmt::Debug for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = lock(&self.0);
        f.debug_struct("Journey")
            .field("rung", &log.rung)
            .field("attempts", &log.attempts)
            .field("more", &log.more)
            .finish()
    }
}

impl fmt::Display for Journey {
    /// One line: `primary unavailable ×3 in 488.1ms → secondary success in 1.3ms`. Like attempts in a row are told as one,
    /// with their waits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = lock(&self.0);
        let mut arrow = "";
        for like in log.attempts.chunk_by(Attempt::is_like) {
            f.write_str(std::mem::replace(&mut arrow, " → "))?;
            match &like[0].name {
                Some(name) => f.write_str(name)?,
                None => like[0].route.fmt(f)?,
            }
            write!(f, " {}", like[0].outcome.name())?;
            if like.len() > 1 {
                write!(f, " ×{}", like.len())?;
            }
            let took: Duration = like.iter().map(|attempt| attempt.wait + attempt.took).sum();
            write!(f, " in {took:.1?}")?;
        }
        if log.more > 0 {
            write!(f, "{arrow}{} more", log.more)?;
        }
        // What was answered without an attempt: a canned reply.
        let last = log.attempts.last().and_then(|attempt| attempt.name.as_ref());
        match &log.rung {
            Some(rung) if last != Some(rung) => write!(f, "{arrow}{rung}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(attempts: &[(Option<&str>, Outcome)], rung: Option<&str>) -> String {
        let journey = Journey::default();
        for (name, outcome) in attempts {
            journey.push(Attempt {
                rung: u16::from(*name == Some("secondary")),
                name: name.map(Into::into),
                route: Route::new("host", "model", "-"),
                outcome: *outcome,
                wait: Duration::from_millis(20),
                took: Duration::from_millis(5),
            });
        }
        if let Some(rung) = rung {
            journey.answered_by(rung.into());
        }
        journey.to_string()
    }

    #[test]
    fn a_journey_is_told_in_one_line() {
        let down = Outcome::Unavailable { wait: None };
        let primary = (Some("primary"), down);
        let secondary = (Some("secondary"), Outcome::Success);
        assert_eq!(
            told(&[primary, primary, secondary], Some("secondary")),
            "primary unavailable ×2 in 50.0ms → secondary success in 25.0ms"
        );
        assert_eq!(
            told(&[primary, (Some("secondary"), down)], Some("canned")),
            "primary unavailable in 25.0ms → secondary unavailable in 25.0ms → canned"
        );
        assert_eq!(told(&[], Some("canned")), "canned");
        assert_eq!(told(&[(None, down)], None), "host/model#- unavailable in 25.0ms");
        let many = vec![primary; Journey::MAX + 3];
        assert_eq!(told(&many, None), "primary unavailable ×64 in 1.6s → 3 more");
    }
}
