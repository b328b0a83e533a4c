//! Combines the command line and the file into the setup of the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use evenkeel::{
    ConfigError,
    config::{Config, FallbackKind, NamedFallback, Settings},
};
use http::Uri;

use crate::{
    access::Exposure,
    admin::AdminSetup,
    chaos::Chaos,
    check::{CheckPlan, CheckScope, CheckSetup, PlannedCheck},
    config_file::{ConfigFile, one_line, read},
    gateway::{Gateway, GatewayParts, SharedTransport},
    limits::GatewayLimits,
    options::Options,
    own_address,
    server::ServerTls,
};

/// The setup of the server.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) limits: GatewayLimits,
    pub(crate) gateway: Gateway,
    /// What is open to others.
    pub(crate) exposure: Exposure,
    pub(crate) tls: Option<ServerTls>,
    /// `--check`: what to check in place of serving.
    pub(crate) check: Option<CheckPlan>,
    /// The operator's listener, if there is one.
    pub(crate) admin: Option<AdminSetup>,
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
        let config = config(&options, file.as_ref()).map_err(|error| located(&error))?;
        let settings = config.settings(env).map_err(|error| located(&error))?;
        let settings = Chaos::settings(options.chaos, settings)?;
        let Some(origin) = origin(&settings) else { return Err(no_upstream(&file, &settings)) };
        let limits = GatewayLimits::new(&settings);
        let transport = SharedTransport::new(
            limits.connect,
            needs_tls(&settings, &origin),
            before.map(Gateway::transport),
        )?;
        let admin = AdminSetup::new(options.admin, &settings.admin, env)?;
        let planned = || checks(&settings, &transport).map_err(|error| located(&error));
        let asked = admin.as_ref().map_or(Ok(Vec::new()), |_| planned())?;
        let check = match options.check {
            Some(CheckScope::Targets) => {
                let model = options.check_model.clone();
                Some(CheckPlan::Targets { checks: planned()?, model })
            }
            Some(CheckScope::Config) => Some(CheckPlan::Config),
            None => None,
        };
        let listen = options.listen.or(settings.server.listen).unwrap_or(DEFAULT_LISTEN);
        own_address::refuse(listen, &origins(&settings, &origin))?;
        let tls = settings.server.access.tls.as_ref().map(ServerTls::new).transpose();
        let tls = tls.map_err(|error| located(&error))?;
        let parts = GatewayParts {
            settings: &settings,
            limits: &limits,
            origin,
            listen,
            transport: transport.clone(),
            observers: admin.as_ref().map(|it| it.observers.clone()),
            checks: asked,
        };
        let gateway = Gateway::new(parts, before).map_err(|error| located(&error))?;
        let exposure = Exposure::new(&settings);
        Ok(Self { listen, limits, gateway, exposure, tls, check, admin, options, config, text })
    }
}

/// What the command line and the file say together.
fn config(options: &Options, file: Option<&ConfigFile>) -> Result<Config, ConfigError> {
    let config = file.map_or_else(Config::default, |file| file.config.clone());
    let config = options.profile.into_iter().fold(config, Config::profile);
    options.upstream.iter().try_fold(config, Config::upstream)
}

/// The checks of the fallbacks with targets, in their order.
fn checks(
    settings: &Settings,
    transport: &SharedTransport,
) -> Result<Vec<PlannedCheck>, ConfigError> {
    let setup = CheckSetup {
        profile: &settings.profile,
        identity: settings.identity.as_ref(),
        transport: transport.transport.clone(),
    };
    let fallbacks = settings.first.iter().chain(&settings.fallbacks);
    let asked = fallbacks.filter(|fallback| fallback.kind == FallbackKind::Target);
    let check = |fallback: &NamedFallback| {
        let targets = fallback.targets.iter().map(|it| it.target.clone()).collect();
        PlannedCheck::new(&fallback.name, fallback.fallback.clone(), targets, &setup)
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
    origins(settings, origin).into_iter().any(|uri| uri.scheme_str() == Some("https"))
}

/// All that a request may be sent to.
fn origins<'a>(settings: &'a Settings, origin: &'a Uri) -> Vec<&'a Uri> {
    let fallbacks = settings.first.iter().chain(&settings.fallbacks);
    let targets = fallbacks.flat_map(|fallback| &fallback.targets);
    targets.filter_map(|it| it.origin.as_ref()).chain([origin]).collect()
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
