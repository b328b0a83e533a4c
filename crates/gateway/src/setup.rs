//! Combines the command line and the file into the setup of the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use evenkeel::{
    Client, ClientBuilder, ConfigError, Profile, fallback::FallbackPolicy, identity::IdentityPolicy,
};
use http::Uri;

use super::{
    check::{CheckPlan, CheckScope, CheckSetup, PlannedCheck},
    config::{self, Config},
    config_location::{ConfigSource, one_line},
    limits::GatewayLimits,
    options::Options,
    targets::{FallbackKind, NamedFallback},
    transport::Transport,
};

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The setup of the server.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) limits: GatewayLimits,
    pub(crate) gateway: Gateway,
    /// Set by `--check`: to check instead of to listen.
    pub(crate) check: Option<CheckPlan>,
}

/// Answers requests. One for the process: it has the breakers, budgets and connections.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Sends calls in a known dialect.
    pub(crate) chat: Client,
    /// Sends all other requests, with limits that fit any of them.
    pub(crate) other: Client,
    /// Where requests are sent: scheme, host and port.
    pub(crate) origin: Uri,
    /// The name of the first target.
    pub(crate) name: String,
    /// The largest request body that is buffered, in bytes.
    pub(crate) body: usize,
}

/// The fallbacks: the first, to which every request is addressed, and those below it.
struct FallbackOrder<'a> {
    file: &'a Config,
    origin: Uri,
    /// `None` is `--upstream`.
    first: Option<&'a NamedFallback>,
    below: &'a [NamedFallback],
}

// === impl Setup ===

impl Setup {
    /// Reads the file, if there is one, and builds everything. The error is one line.
    pub(crate) fn new(options: Options) -> Result<Self, String> {
        Self::with(options, &|name| std::env::var(name).ok())
    }

    pub(crate) fn with(
        options: Options,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let text =
            options.config.as_deref().map(config::read_text).transpose().map_err(one_line)?;
        let source = options.config.as_deref().zip(text.as_deref());
        let source = source.map(|(name, text)| ConfigSource { name, text });
        let file = source.map(|source| Config::parse(source, env)).transpose()?.unwrap_or_default();
        let profile = options.profile.or(file.profile).unwrap_or_default();
        let limits = GatewayLimits::new(profile, &file.limits, source)?;
        let upstream = options.upstream.as_ref().or(file.upstream.as_ref()).cloned();
        let gateway = Gateway::new(upstream.clone(), &limits, &file, source)?;
        let check = match options.check {
            Some(CheckScope::Targets) => {
                let order = FallbackOrder::new(upstream, &file, source)?;
                let checks = order.checks(&limits, source)?;
                Some(CheckPlan::Targets { checks, model: options.check_model })
            }
            Some(CheckScope::Config) => Some(CheckPlan::Config),
            None => None,
        };
        let listen = options.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN);
        Ok(Self { listen, limits, gateway, check })
    }
}

// === impl Gateway ===

impl Gateway {
    fn new(
        upstream: Option<Uri>,
        limits: &GatewayLimits,
        file: &Config,
        source: Option<ConfigSource<'_>>,
    ) -> Result<Self, String> {
        let fallbacks = FallbackOrder::new(upstream, file, source)?;
        let transport = Transport::reconnecting(limits.connect, fallbacks.needs_tls())?;
        let identity = file.identity.as_ref();
        // Only chats are stored.
        let other = builder(identity)
            .profile(
                file.error_codes.iter().cloned().fold(limits.other.clone(), Profile::error_codes),
            )
            .fallback_policy(fallbacks.policy(|kind| kind != FallbackKind::Stored));
        let profile = file.traffic.apply(limits.chat.clone());
        let profile = file.wait_for_recovery.into_iter().fold(profile, Profile::wait_for_recovery);
        let profile = file.error_codes.iter().cloned().fold(profile, Profile::error_codes);
        let chat = builder(identity).profile(profile).fallback_policy(fallbacks.policy(|_| true));
        let chat = file.cache.iter().cloned().fold(chat, ClientBuilder::cache);
        let located = |error: ConfigError| fallbacks.locate(&error, source);
        Ok(Self {
            chat: chat.build_with(transport.clone()).map_err(located)?,
            other: other.build_with(transport).map_err(located)?,
            name: fallbacks.first.map_or_else(|| "primary".to_owned(), |first| first.name.clone()),
            origin: fallbacks.origin,
            body: limits.body,
        })
    }
}

pub(crate) fn builder(identity: Option<&IdentityPolicy>) -> ClientBuilder {
    identity.cloned().into_iter().fold(Client::builder(), ClientBuilder::identity)
}

// === impl FallbackOrder ===

impl<'a> FallbackOrder<'a> {
    fn new(
        upstream: Option<Uri>,
        file: &'a Config,
        source: Option<ConfigSource<'_>>,
    ) -> Result<Self, String> {
        if let Some(origin) = upstream {
            return Ok(Self { file, origin, first: None, below: &file.fallbacks });
        }
        let first = file.fallbacks.first();
        let origin = first.and_then(|first| first.targets.first()?.1.clone());
        match first.zip(origin) {
            Some((first, origin)) => {
                Ok(Self { file, origin, first: Some(first), below: &file.fallbacks[1..] })
            }
            None => Err(no_upstream(source, first.map(|first| first.at.clone()))),
        }
    }

    /// The checks of the fallbacks with targets.
    fn checks(
        &self,
        limits: &GatewayLimits,
        source: Option<ConfigSource<'_>>,
    ) -> Result<Vec<PlannedCheck>, String> {
        let setup = CheckSetup {
            profile: &limits.chat,
            identity: self.file.identity.as_ref(),
            transport: Transport::reconnecting(limits.connect, self.needs_tls())?,
        };
        let fallbacks = self.file.fallbacks.iter();
        let asked = fallbacks.filter(|fallback| fallback.kind == FallbackKind::Target);
        let check = |fallback: &NamedFallback| {
            let targets = fallback.targets.iter().map(|(target, _)| target.clone()).collect();
            PlannedCheck::new(&fallback.name, fallback.fallback.clone(), targets, &setup)
        };
        let checks: Result<_, _> = asked.map(check).collect();
        checks.map_err(|error| self.locate(&error, source))
    }

    /// Whether a request may be sent to an `https://` origin.
    fn needs_tls(&self) -> bool {
        let targets = self.file.fallbacks.iter().flat_map(|fallback| &fallback.targets);
        let mut origins = targets.filter_map(|(_, origin)| origin.as_ref()).chain([&self.origin]);
        origins.any(|uri| uri.scheme_str() == Some("https"))
    }

    /// The policy of the fallbacks of the allowed kinds.
    fn policy(&self, allowed: impl Fn(FallbackKind) -> bool) -> FallbackPolicy {
        let policy = FallbackPolicy::new().mid_stream_failure(self.file.mid_stream_failure);
        let policy = match self.first {
            Some(first) => policy.first(first.fallback.clone()),
            None => policy,
        };
        let below = self.below.iter().filter(|fallback| allowed(fallback.kind));
        below.fold(policy, |policy, fallback| policy.fallback(fallback.fallback.clone()))
    }

    /// An error of evenkeel, with the line of the file that it is about.
    fn locate(&self, error: &ConfigError, source: Option<ConfigSource<'_>>) -> String {
        let Some(source) = source else { return one_line(error) };
        let text = error.to_string();
        let what = text.strip_prefix(error.field()).unwrap_or(&text).trim();
        if let Some(field) = error.field().strip_prefix("fallbacks[") {
            let fallback =
                field.split(']').next().and_then(|fallback| fallback.parse::<usize>().ok());
            // `--upstream` is a fallback above those of the file.
            let above = usize::from(self.first.is_none());
            let found = self.file.fallbacks.get(fallback.unwrap_or(0).saturating_sub(above));
            let key = error.field().rsplit('.').next().unwrap_or("fallbacks");
            return source.error_at(&found.map_or(0..0, |found| found.at.clone()), key, what);
        }
        if error.field() == "mid_stream_failure" {
            return source.error_at(&self.file.mid_stream_failure_at, error.field(), what);
        }
        let (at, key) = self.file.limits.location_of(error);
        source.error_at(&at, &key, what)
    }
}

fn no_upstream(source: Option<ConfigSource<'_>>, at: Option<std::ops::Range<usize>>) -> String {
    let what = "has no first target with a base_url; allowed is one, or --upstream";
    match source {
        Some(source) => source.error_at(&at.unwrap_or(0..0), "fallbacks", what),
        None => format!("--upstream is missing; {what}"),
    }
}
