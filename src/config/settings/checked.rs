//! The settings of a client.

use std::time::Duration;

use super::{
    access::AccessKeys,
    admin::{AdminKeys, admin},
    answers::{cache, identity},
    chaos::chaos,
    fallbacks::{FallbackKind, NamedFallback, Order},
    locate::{Paths, in_key_names, located},
    outcomes::error_codes,
    profile::profile,
    server::ServerKeys,
    targets::Env,
};
use crate::{
    Client, ClientBuilder, ConfigError, Profile,
    cache::CachePolicy,
    chaos::ChaosSlot,
    config::{source::Source, tables::CacheTable},
    fallback::FallbackPolicy,
    identity::IdentityPolicy,
    outcome::ErrorCodeTable,
    stream::MidStreamFailure,
};

/// The settings of a client, each valid, with the keys of its targets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The profile, with limits, retries, breaker and the meanings of errors.
    pub profile: Profile,
    /// The first fallback, to which every call goes first. `None`: where the request is addressed.
    pub first: Option<NamedFallback>,
    /// The fallbacks below it, in their order.
    pub fallbacks: Vec<NamedFallback>,
    /// What happens to a stream that fails while it is read.
    pub mid_stream_failure: MidStreamFailure,
    /// Stored answers, if there are any.
    pub cache: Option<CachePolicy>,
    /// The meanings of errors, which the profile has already; `None` is evenkeel's own table.
    pub error_codes: Option<ErrorCodeTable>,
    /// The names that identify callers; `None` is evenkeel's default.
    pub identity: Option<IdentityPolicy>,
    /// The keys that only a server has a use for, such as the gateway.
    pub server: ServerKeys,
    /// The operator's listener of the gateway.
    pub admin: AdminKeys,
    pub(in crate::config) chaos: ChaosSlot,
}

// === impl Settings ===

impl Settings {
    pub(in crate::config) fn new(source: &Source, env: Env<'_>) -> Result<Self, ConfigError> {
        let file = &source.file;
        let Order { mut fallbacks, addressed_first } = Order::new(source, env)?;
        let target = fallbacks.first().is_some_and(|it| it.kind == FallbackKind::Target);
        let first = (target && !addressed_first).then(|| fallbacks.remove(0));
        let stored = fallbacks.iter().any(|fallback| fallback.kind == FallbackKind::Stored);
        // A stored fallback needs a cache, also where the file sets none.
        let of_stored = stored.then(CacheTable::default);
        let profile = profile(file)?;
        let names: Vec<_> = first.iter().chain(&fallbacks).map(|it| it.name.as_str()).collect();
        let access = AccessKeys::new(file, env, &names, profile.deadline)?;
        let settings = Self {
            server: ServerKeys::new(source, &profile, access),
            admin: admin(&file.admin, env)?,
            profile,
            first,
            fallbacks,
            mid_stream_failure: file.mid_stream_failure.map(|it| it.0).unwrap_or_default(),
            cache: file.cache.as_ref().or(of_stored.as_ref()).map(cache),
            error_codes: error_codes(&file.outcome)?,
            identity: file.identity.as_ref().map(identity),
            chaos: chaos(file.chaos.as_ref())?,
        };
        settings.check()?;
        Ok(settings)
    }

    /// The builder of a client with these settings.
    pub fn builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            .profile(self.profile.clone())
            .fallback_policy(self.fallback_policy(|_| true));
        let builder = self.cache.iter().cloned().fold(builder, ClientBuilder::cache);
        let builder = self.identity.iter().cloned().fold(builder, ClientBuilder::identity);
        builder.chaos_slot(self.chaos.clone())
    }

    /// The faults that are injected on purpose, if the configuration has any. Their switch is off.
    #[cfg(feature = "chaos")]
    #[cfg_attr(docsrs, doc(cfg(feature = "chaos")))]
    pub fn chaos(&self) -> Option<&crate::chaos::ChaosPolicy> {
        self.chaos.policy()
    }

    /// The same settings without the faults that are injected on purpose.
    #[must_use]
    pub fn without_chaos(self) -> Self {
        Self { chaos: ChaosSlot::default(), ..self }
    }

    /// The fallbacks for which `keep` returns true; the first one is always kept.
    pub fn fallback_policy(&self, keep: impl Fn(&NamedFallback) -> bool) -> FallbackPolicy {
        let policy = FallbackPolicy::new().mid_stream_failure(self.mid_stream_failure);
        let policy = match &self.first {
            Some(first) => policy.first(first.fallback.clone()),
            None => policy,
        };
        let below = self.fallbacks.iter().filter(|fallback| keep(fallback));
        below.fold(policy, |policy, fallback| policy.fallback(fallback.fallback.clone()))
    }

    /// The same error with the key of the configuration as its field: of a client with the fallbacks for which `keep` returns true.
    pub fn locate(
        &self,
        error: &ConfigError,
        keep: impl Fn(&NamedFallback) -> bool,
    ) -> ConfigError {
        let addressed = Paths { own: "upstream", targets: Vec::new() };
        let first = self.first.as_ref().map_or(addressed, NamedFallback::paths);
        let below = self.fallbacks.iter().filter(|fallback| keep(fallback));
        let paths: Vec<_> = [first].into_iter().chain(below.map(NamedFallback::paths)).collect();
        located(error, &paths)
    }

    /// Rejects values that are not allowed together.
    fn check(&self) -> Result<(), ConfigError> {
        const SHORTEST: Duration = Duration::from_millis(1);
        if let Some(other) = self.server.other.filter(|other| *other < SHORTEST) {
            return Err(ConfigError::new("limits.other", other, "1 ms and more"));
        }
        self.profile.check().map_err(|error| in_key_names(&error))?;
        let fallbacks = self.fallback_policy(|_| true);
        let fallbacks = match self.profile.waits {
            true => fallbacks.waiting_for_recovery(),
            false => fallbacks,
        };
        let checked = fallbacks.check(Some(self.profile.deadline));
        checked.map_err(|error| self.locate(&error, |_| true))?;
        self.cache.as_ref().map_or(Ok(()), CachePolicy::check)?;
        self.identity.as_ref().map_or(Ok(()), IdentityPolicy::check)
    }
}

// === impl NamedFallback ===

impl NamedFallback {
    fn paths(&self) -> Paths<'_> {
        Paths { own: &self.path, targets: self.targets.iter().map(|it| &*it.path).collect() }
    }
}
