//! The settings of credentials.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    cache::TokenCache,
    settings::CredentialTimes,
    signing::Signing,
    source::{CredentialSource, RequestSigner},
};
use crate::ConfigError;
#[cfg(feature = "serde")]
use crate::hash::hash;

/// A source of credentials with its settings: for a source that several targets share, or with other settings than the
/// defaults.
///
/// A handle: clones share the source and its current token, and so do targets with clones of it. Create it once, not for each
/// call.
///
/// # Defaults
///
/// | setting | default | why |
/// |---|---|---|
/// | [`refresh_before`](Self::refresh_before) | 60 s, at most a tenth of the lifetime | longer than an attempt waits for its first content |
/// | [`min_refresh_interval`](Self::min_refresh_interval) | 10 s | a rejected credential is rarely replaced sooner |
/// | [`timeout`](Self::timeout) | 10 s | a token endpoint answers within a second |
///
/// ```
/// use std::time::Duration;
/// use evenkeel::{BoxError, credentials::{CredentialPolicy, Credentials}, target::Target};
///
/// let token = CredentialPolicy::new(|| async { Ok::<_, BoxError>(Credentials::bearer("the token")) })
///     .timeout(Duration::from_secs(5));
/// let region = |host: &str| Target::new(format!("https://{host}.example.com/v1")).credentials(token.clone());
/// let targets = ["west", "north"].map(region);
/// # let _ = targets;
/// ```
#[derive(Clone)]
pub struct CredentialPolicy {
    pub(super) kind: Kind,
    pub(super) times: CredentialTimes,
    /// Identifies the source in routes.
    id: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Token(Arc<TokenCache>),
    Signed(Arc<Signing>),
}

// === impl CredentialPolicy ===

impl CredentialPolicy {
    /// Credentials of a source, fetched once for all attempts and refreshed before they expire.
    pub fn new(source: impl CredentialSource) -> Self {
        Self::of(Kind::Token(Arc::new(TokenCache::new(source))))
    }

    /// Credentials of a signer, made for each attempt.
    pub fn signer(signer: impl RequestSigner) -> Self {
        Self::of(Kind::Signed(Arc::new(Signing::new(signer))))
    }

    fn of(kind: Kind) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        // Relaxed: only that each is different matters.
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        Self { kind, times: CredentialTimes::default(), id }
    }

    /// Identifies the source by a text in place of a number of its own, so that its routes are the same when it is created anew.
    #[cfg(feature = "serde")]
    pub(crate) fn identified_by(mut self, text: &str) -> Self {
        // The upper half: numbers of their own never get there.
        self.id = hash(text) | 1 << 63;
        self
    }

    /// How long before its end a token is refreshed, in the background, while it is still used; at most half of its lifetime, and
    /// up to half as long again at random, so that processes do not refresh together. Zero: when it has expired. At most a day.
    /// Default: 60 s, or a tenth of the lifetime if that is less. No effect on a signer.
    #[must_use]
    pub fn refresh_before(mut self, before: Duration) -> Self {
        self.times.refresh_before = Some(before);
        self
    }

    /// The least time between a fetch and the next one, however often the provider rejects the token: 1 s to a day. A token is
    /// used for at least that long, also if its end is nearer or, by a wrong clock, in the past. For tokens that live less than
    /// twice as long it is half of their lifetime, at least 1 s. For a signer it is the least time between two rejections after
    /// which requests are signed anew. Default: 10 s.
    #[must_use]
    pub fn min_refresh_interval(mut self, interval: Duration) -> Self {
        self.times.min_refresh_interval = interval;
        self
    }

    /// The time limit of a fetch or a signature: 1 ms to a day. An attempt waits for credentials no longer than that, and no
    /// longer than half of the time that it has. Default: 10 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.times.timeout = timeout;
        self
    }

    pub(crate) fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        self.times.check(field)
    }

    /// A number that identifies the source within this process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl<S: CredentialSource> From<S> for CredentialPolicy {
    fn from(source: S) -> Self {
        Self::new(source)
    }
}

impl PartialEq for CredentialPolicy {
    /// Whether both have the same source.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl fmt::Debug for CredentialPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialPolicy")
            .field("kind", &self.kind)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
