//! Combines the command line and the file into the setup of the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use evenkeel::{
    Client, ClientBuilder, ConfigError, Upstream,
    config::{Config, FallbackKind, NamedFallback, Settings},
};
use http::Uri;
use serde::Serialize;

use crate::{
    admin::AdminSetup,
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
    /// The operator's listener, if there is one.
    pub(crate) admin: Option<AdminSetup>,
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
    /// The fallbacks in their order, the first target included.
    pub(crate) order: Vec<OrderedFallback>,
    /// The checks of the targets that the operator may ask for; none without the operator's listener.
    pub(crate) checks: Vec<PlannedCheck>,
}

/// What the clients are connected to: the transport below, and the listeners for the operator.
struct Links<'a, S> {
    transport: S,
    admin: Option<&'a AdminSetup>,
}

/// A fallback by name.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OrderedFallback {
    name: String,
    /// `target`, `stored` or `canned`.
    kind: &'static str,
}

/// Where the gateway listens by default: on this machine alone, as the keys of callers pass through it.
pub(crate) const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

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
        let Some(origin) = origin(&settings) else { return Err(no_upstream(&file, &settings)) };
        let limits = GatewayLimits::new(&settings);
        let transport = Transport::reconnecting(limits.connect, needs_tls(&settings, &origin))?;
        let admin = AdminSetup::new(options.admin, &settings.admin, env)?;
        let planned = || {
            let setup = CheckSetup {
                profile: &settings.profile,
                identity: settings.identity.as_ref(),
                transport: transport.clone(),
            };
            checks(&settings, &setup).map_err(|error| located(&error))
        };
        let asked = admin.as_ref().map_or(Ok(Vec::new()), |_| planned())?;
        let check = match options.check {
            Some(CheckScope::Targets) => {
                Some(CheckPlan::Targets { checks: planned()?, model: options.check_model })
            }
            Some(CheckScope::Config) => Some(CheckPlan::Config),
            None => None,
        };
        let links = Links { transport: transport.clone(), admin: admin.as_ref() };
        let gateway = Gateway::new(origin, &limits, &settings, links);
        let gateway = gateway.map_err(|error| located(&error))?;
        let gateway = Gateway { checks: asked, ..gateway };
        let listen = options.listen.or(settings.server.listen).unwrap_or(DEFAULT_LISTEN);
        Ok(Self { listen, limits, gateway, check, admin })
    }
}

// === impl Gateway ===

impl Gateway {
    fn new(
        origin: Uri,
        limits: &GatewayLimits,
        settings: &Settings,
        links: Links<'_, impl Upstream>,
    ) -> Result<Self, ConfigError> {
        let Links { transport, admin } = links;
        let observe = |builder| admin.iter().fold(builder, |builder, it| it.observe(builder));
        // Only chats are stored.
        let unstored = |fallback: &NamedFallback| fallback.kind != FallbackKind::Stored;
        let other = Client::builder()
            .profile(limits.other.clone())
            .fallback_policy(settings.fallback_policy(unstored));
        let other = settings.identity.iter().cloned().fold(other, ClientBuilder::identity);
        let chat = observe(settings.builder()).build_with(transport.clone());
        Ok(Self {
            chat: chat.map_err(|error| settings.locate(&error, |_| true))?,
            other: observe(other)
                .build_with(transport)
                .map_err(|error| settings.locate(&error, unstored))?,
            name: first_name(settings),
            origin,
            body: limits.body,
            order: order(settings),
            checks: Vec::new(),
        })
    }
}

/// The name of the first target.
fn first_name(settings: &Settings) -> String {
    settings.first.as_ref().map_or_else(|| "primary".to_owned(), |first| first.name.clone())
}

/// The fallbacks in their order.
fn order(settings: &Settings) -> Vec<OrderedFallback> {
    let first = OrderedFallback { name: first_name(settings), kind: "target" };
    let below = settings.fallbacks.iter().map(|fallback| OrderedFallback {
        name: fallback.name.clone(),
        kind: match fallback.kind {
            FallbackKind::Stored => "stored",
            FallbackKind::Canned => "canned",
            _ => "target",
        },
    });
    [first].into_iter().chain(below).collect()
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
