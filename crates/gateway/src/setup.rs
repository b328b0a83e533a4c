//! Combines the command line and the file into the setup of the server.

use std::{net::SocketAddr, time::Duration};

use evenkeel::{
    Client, ClientBuilder, ConfigError,
    adapter::Reconnect,
    config::{Config, FallbackKind, NamedFallback, Settings},
};
use http::Uri;

use crate::{
    check::{CheckPlan, CheckScope, CheckSetup, PlannedCheck},
    config_file::{ConfigFile, one_line, read},
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
    /// The command line, and what it and the file say together.
    pub(crate) options: Options,
    pub(crate) config: Config,
    /// The text of the file.
    pub(crate) text: Option<String>,
}

/// Where a setup comes from.
pub(crate) struct SetupSource<'a> {
    pub(crate) options: Options,
    /// The text of the file, if it was read already.
    pub(crate) text: Option<String>,
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    /// The gateway whose state is kept.
    pub(crate) before: Option<&'a Gateway>,
}

/// Answers requests. It has the breakers, budgets and connections; a reload replaces it by one with the same state.
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
    transport: SharedTransport,
}

/// A transport, and what it was made for.
#[derive(Clone, Debug)]
struct SharedTransport {
    transport: Reconnect<Transport>,
    connect: Duration,
    https: bool,
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
        Self::of(SetupSource { options, text: None, env, before: None })
    }

    pub(crate) fn of(source: SetupSource<'_>) -> Result<Self, String> {
        let SetupSource { options, text, env, before } = source;
        let path = options.config.as_deref();
        let text = match (path, text) {
            (Some(path), None) => Some(read(path)?),
            (_, text) => text,
        };
        let file = path.zip(text.as_deref()).map(|(path, text)| ConfigFile::parse(path, text));
        let file = file.transpose()?;
        let located = |error: &ConfigError| match &file {
            Some(file) => file.error(error),
            None => one_line(error),
        };
        let config = file.as_ref().map_or_else(Config::default, |file| file.config.clone());
        let config = options.profile.into_iter().fold(config, Config::profile);
        let config = options.upstream.iter().try_fold(config, Config::upstream);
        let config = config.map_err(|error| located(&error))?;
        let settings = config.settings(env).map_err(|error| located(&error))?;
        let Some(origin) = origin(&settings) else { return Err(no_upstream(&file, &settings)) };
        let limits = GatewayLimits::new(&settings);
        let transport = SharedTransport::new(
            limits.connect,
            needs_tls(&settings, &origin),
            before.map(|before| &before.transport),
        )?;
        let check = check_plan(&options, &settings, &transport.transport);
        let check = check.map_err(|error| located(&error))?;
        let gateway = Gateway::new(origin, &limits, &settings, transport);
        let mut gateway = gateway.map_err(|error| located(&error))?;
        if let Some(before) = before {
            // Nothing of the state is touched before all of it is known to be right.
            gateway = gateway.state_of(before, &limits, &settings).map_err(|it| located(&it))?;
        }
        let default = SocketAddr::from(([127, 0, 0, 1], 8080));
        let listen = options.listen.or(settings.server.listen).unwrap_or(default);
        Ok(Self { listen, limits, gateway, check, options, config, text })
    }
}

/// What `--check` asks.
fn check_plan(
    options: &Options,
    settings: &Settings,
    transport: &Reconnect<Transport>,
) -> Result<Option<CheckPlan>, ConfigError> {
    Ok(match options.check {
        Some(CheckScope::Targets) => {
            let setup = CheckSetup {
                profile: &settings.profile,
                identity: settings.identity.as_ref(),
                transport: transport.clone(),
            };
            let (checks, model) = (checks(settings, &setup)?, options.check_model.clone());
            Some(CheckPlan::Targets { checks, model })
        }
        Some(CheckScope::Config) => Some(CheckPlan::Config),
        None => None,
    })
}

// === impl SharedTransport ===

impl SharedTransport {
    /// A transport; the one `before`, with its connections, if that is the same.
    fn new(connect: Duration, https: bool, before: Option<&Self>) -> Result<Self, String> {
        match before {
            Some(before) if (before.connect, before.https) == (connect, https) => {
                Ok(before.clone())
            }
            _ => {
                let transport = Transport::reconnecting(connect, https)?;
                Ok(Self { transport, connect, https })
            }
        }
    }
}

// === impl Gateway ===

impl Gateway {
    fn new(
        origin: Uri,
        limits: &GatewayLimits,
        settings: &Settings,
        transport: SharedTransport,
    ) -> Result<Self, ConfigError> {
        let [chat, other] = builders(limits, settings);
        let name = settings.first.as_ref().map_or("primary", |first| &first.name).to_owned();
        let over = || transport.transport.clone();
        Ok(Self {
            chat: chat.build_with(over()).map_err(|error| settings.locate(&error, |_| true))?,
            other: other.build_with(over()).map_err(|error| settings.locate(&error, unstored))?,
            name,
            origin,
            body: limits.body,
            transport,
        })
    }

    /// The same gateway with the state of another one.
    fn state_of(
        self,
        before: &Self,
        limits: &GatewayLimits,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let [chat, other] = builders(limits, settings);
        let over = || self.transport.transport.clone();
        Ok(Self {
            chat: chat.state_of(&before.chat).build_with(over())?,
            other: other.state_of(&before.other).build_with(over())?,
            ..self
        })
    }
}

/// Only chats are stored.
fn unstored(fallback: &NamedFallback) -> bool {
    fallback.kind != FallbackKind::Stored
}

/// Of the client for calls in a known dialect, and of the client for all other requests.
fn builders(limits: &GatewayLimits, settings: &Settings) -> [ClientBuilder; 2] {
    let other = Client::builder()
        .profile(limits.other.clone())
        .fallback_policy(settings.fallback_policy(unstored));
    let other = settings.identity.iter().cloned().fold(other, ClientBuilder::identity);
    [settings.builder(), other]
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
