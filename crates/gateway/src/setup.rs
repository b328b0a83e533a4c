//! Combines the command line and the file into the setup of the server.

use std::net::SocketAddr;

use evenkeel::{
    Client, ClientBuilder, ConfigError, Upstream,
    config::{Config, FallbackKind, NamedFallback, Settings},
};
use http::Uri;

use crate::{
    chaos::Chaos,
    check::{CheckPlan, CheckScope, CheckSetup, PlannedCheck},
    config_file::{ConfigFile, one_line},
    limits::GatewayLimits,
    options::Options,
    transport::Transport,
};

/// The setup of the server.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) limits: GatewayLimits,
    pub(crate) gateway: Gateway,
    /// `--check`: what to check in place of serving.
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
    /// Faults on purpose.
    pub(crate) chaos: Chaos,
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
        let file = options.config.as_deref().map(ConfigFile::read).transpose()?;
        let located = |error: &ConfigError| match &file {
            Some(file) => file.error(error),
            None => one_line(error),
        };
        let config = file.as_ref().map_or_else(Config::default, |file| file.config.clone());
        let config = options.profile.into_iter().fold(config, Config::profile);
        let config = options.upstream.iter().try_fold(config, Config::upstream);
        let settings = config.and_then(|config| config.settings(env));
        let settings = settings.map_err(|error| located(&error))?;
        let settings = Chaos::settings(options.chaos, settings)?;
        let Some(origin) = origin(&settings) else { return Err(no_upstream(&file, &settings)) };
        let limits = GatewayLimits::new(&settings);
        let transport = Transport::reconnecting(limits.connect, needs_tls(&settings, &origin))?;
        let check = match options.check {
            Some(CheckScope::Targets) => {
                let setup = CheckSetup {
                    profile: &settings.profile,
                    identity: settings.identity.as_ref(),
                    transport: transport.clone(),
                };
                let checks = checks(&settings, &setup).map_err(|error| located(&error))?;
                Some(CheckPlan::Targets { checks, model: options.check_model })
            }
            Some(CheckScope::Config) => Some(CheckPlan::Config),
            None => None,
        };
        let gateway = Gateway::new(origin, &limits, &settings, transport);
        let gateway = gateway.map_err(|error| located(&error))?;
        let default = SocketAddr::from(([127, 0, 0, 1], 8080));
        let listen = options.listen.or(settings.server.listen).unwrap_or(default);
        Ok(Self { listen, limits, gateway, check })
    }
}

// === impl Gateway ===

impl Gateway {
    fn new(
        origin: Uri,
        limits: &GatewayLimits,
        settings: &Settings,
        transport: impl Upstream,
    ) -> Result<Self, ConfigError> {
        let chaos = Chaos::of(settings);
        // Only chats are stored.
        let unstored = |fallback: &NamedFallback| fallback.kind != FallbackKind::Stored;
        let other = Client::builder()
            .profile(limits.other.clone())
            .fallback_policy(settings.fallback_policy(unstored));
        let other = settings.identity.iter().cloned().fold(other, ClientBuilder::identity);
        let chat = settings.builder().build_with(transport.clone());
        Ok(Self {
            chat: chat.map_err(|error| settings.locate(&error, |_| true))?,
            other: chaos
                .within(other)
                .build_with(transport)
                .map_err(|error| settings.locate(&error, unstored))?,
            name: settings
                .first
                .as_ref()
                .map_or_else(|| "primary".to_owned(), |first| first.name.clone()),
            origin,
            body: limits.body,
            chaos,
        })
    }
}

/// The checks of the fallbacks with targets, in their order.
fn checks(settings: &Settings, setup: &CheckSetup<'_>) -> Result<Vec<PlannedCheck>, ConfigError> {
    let fallbacks = settings.first.iter().chain(&settings.fallbacks);
    let asked = fallbacks.filter(|fallback| fallback.kind == FallbackKind::Target);
    let check = |fallback: &NamedFallback| {
        let targets = fallback.targets.iter().map(|it| it.target.clone()).collect();
        PlannedCheck::new(&fallback.name, fallback.fallback.clone(), targets, setup)
    };
    asked.map(check).collect()
}

/// Where requests are sent first: `upstream`, or the host of the first target.
fn origin(settings: &Settings) -> Option<Uri> {
    let first = settings.first.as_ref().and_then(|first| first.targets.first()?.origin.clone());
    settings.server.upstream.clone().or(first)
}

/// Whether a request may be sent to an `https://` origin.
fn needs_tls(settings: &Settings, origin: &Uri) -> bool {
    let fallbacks = settings.first.iter().chain(&settings.fallbacks);
    let origins =
        fallbacks.flat_map(|fallback| &fallback.targets).filter_map(|it| it.origin.as_ref());
    origins.chain([origin]).any(|uri| uri.scheme_str() == Some("https"))
}

fn no_upstream(file: &Option<ConfigFile>, settings: &Settings) -> String {
    let what = "has no first target with a base_url; allowed is one, or --upstream";
    let first = settings.first.as_ref().or(settings.fallbacks.first());
    let path = first.map_or("fallbacks", |first| &first.path);
    match file {
        Some(file) => file.error_at(path, what),
        None => format!("--upstream is missing; {what}"),
    }
}
