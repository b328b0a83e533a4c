//! The command line and the file together: what serving needs.

use std::net::SocketAddr;

use evenkeel::{
    Client, ClientBuilder, ConfigError, Profile,
    fallback::{FallbackPolicy, Target},
};
use http::Uri;

use super::{
    config::{self, Config},
    config_location::{ConfigSource, one_line},
    limits::Limits,
    options::Options,
    targets::{FallbackKind, NamedFallback},
    transport::Transport,
};

/// What serving needs.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) gateway: Gateway,
}

/// Answers requests. One for the process: it has the breakers, budgets and connections.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Sends calls in a known dialect.
    pub(crate) chat: Client,
    /// Sends everything else, with limits that fit anything.
    pub(crate) other: Client,
    /// Where requests are sent: scheme, host and port.
    pub(crate) origin: Uri,
    /// The targets of the first rung; empty where that is `--upstream`.
    pub(crate) first: Vec<Target>,
    /// The name of the first rung.
    pub(crate) name: String,
    /// The largest request body that is buffered, in bytes.
    pub(crate) body: usize,
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
        let limits = Limits::new(profile, &file.limits, source)?;
        let upstream = options.upstream.as_ref().or(file.upstream.as_ref()).cloned();
        let gateway = Gateway::new(upstream, (&limits, &file), source)?;
        let default = SocketAddr::from(([127, 0, 0, 1], 8080));
        Ok(Self { listen: options.listen.or(file.listen).unwrap_or(default), limits, gateway })
    }
}

// === impl Gateway ===

impl Gateway {
    fn new(
        upstream: Option<Uri>,
        (limits, file): (&Limits, &Config),
        source: Option<ConfigSource<'_>>,
    ) -> Result<Self, String> {
        let mut below = file.ladder.iter();
        let mut ladder = FallbackPolicy::new().resume(file.resume);
        let (mut first, mut name) = (Vec::new(), "primary".to_owned());
        let above = usize::from(upstream.is_some());
        let origin = match upstream {
            Some(origin) => origin,
            None => {
                let fallback = below.next();
                let origin = fallback.and_then(|fallback| fallback.targets.first()?.1.clone());
                let Some((fallback, origin)) = fallback.zip(origin) else {
                    return Err(no_upstream(source, fallback.map(|fallback| fallback.at.clone())));
                };
                ladder = ladder.first(fallback.rung.clone());
                first = fallback.targets.iter().map(|(target, _)| target.clone()).collect();
                name = fallback.name.clone();
                origin
            }
        };
        let origins = file.ladder.iter().flat_map(|fallback| &fallback.targets);
        let origins = origins.filter_map(|(_, origin)| origin.as_ref()).chain([&origin]);
        let https = origins.into_iter().any(|uri| uri.scheme_str() == Some("https"));
        let transport = Transport::reconnecting(limits.connect, https)?;
        // Only chats are stored.
        let not_stored = |fallback: &&NamedFallback| fallback.kind != FallbackKind::Stored;
        let add =
            |ladder: FallbackPolicy, fallback: &NamedFallback| ladder.rung(fallback.rung.clone());
        let other = below.clone().filter(not_stored).fold(ladder.clone(), add);
        let builder = || {
            let identity = file.identity.iter().cloned();
            identity.fold(Client::builder(), ClientBuilder::identity)
        };
        let other = builder().profile(limits.other.clone()).ladder(other);
        let ladder = below.fold(ladder, add);
        let profile = file.traffic.apply(limits.chat.clone());
        let profile = file.wait.into_iter().fold(profile, Profile::waits);
        let chat = builder().profile(profile).ladder(ladder);
        let chat = file.cache.iter().cloned().fold(chat, ClientBuilder::cache);
        let located = |error: ConfigError| located(&error, (file, above), source);
        Ok(Self {
            chat: chat.over(transport.clone()).map_err(located)?,
            other: other.over(transport).map_err(located)?,
            origin,
            first,
            name,
            body: limits.body,
        })
    }
}

fn no_upstream(source: Option<ConfigSource<'_>>, at: Option<std::ops::Range<usize>>) -> String {
    let what = "has no first target with a base_url; allowed is one, or --upstream";
    match source {
        Some(source) => source.error_at(&at.unwrap_or(0..0), "ladder", what),
        None => format!("--upstream is missing; {what}"),
    }
}

/// An error of evenkeel's own, with the line of the file that it is about. `above` rungs precede those of the file.
fn located(
    error: &ConfigError,
    (file, above): (&Config, usize),
    source: Option<ConfigSource<'_>>,
) -> String {
    let Some(source) = source else { return one_line(error) };
    let text = error.to_string();
    let what = text.strip_prefix(error.field()).unwrap_or(&text).trim();
    if error.field().starts_with("ladder.rung[") {
        let digits = error.field().trim_start_matches("ladder.rung[").split(']').next();
        let at = digits.and_then(|at| at.parse::<usize>().ok()).unwrap_or(0);
        let found = file.ladder.get(at.saturating_sub(above));
        let field = error.field().rsplit('.').next().unwrap_or("ladder");
        return source.error_at(&found.map_or(0..0, |fallback| fallback.at.clone()), field, what);
    }
    let (at, field) = file.limits.location_of(error);
    source.error_at(&at, &field, what)
}
