//! The command line and the file together.

use std::net::SocketAddr;

use evenkeel::{
    Client, ClientBuilder, ConfigError, Profile,
    fallback::{FallbackPolicy, Target},
};
use http::Uri;

use super::{
    config::{self, Config},
    limits::Limits,
    options::Options,
    place::{Source, one_line},
    targets::{Kind, Step},
    wire::Wire,
};

/// Everything that serving needs.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) gateway: Gateway,
}

/// What requests are answered by. One for the whole process: breakers, budgets and connections are its.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Calls that are known for what they are.
    pub(crate) chat: Client,
    /// Everything else, with limits that fit anything.
    pub(crate) other: Client,
    /// Where requests are addressed: scheme, host and port.
    pub(crate) origin: Uri,
    /// The first rung: equal targets of the file; none where it is the upstream as it is.
    pub(crate) first: Vec<Target>,
    pub(crate) name: String,
    /// The largest body that is read whole.
    pub(crate) body: usize,
}

// === impl Setup ===

impl Setup {
    /// Reads the file, where there is one, and puts all together. The error is one line.
    pub(crate) fn new(options: Options) -> Result<Self, String> {
        Self::with(options, &|name| std::env::var(name).ok())
    }

    pub(crate) fn with(
        options: Options,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let text = options.config.as_deref().map(config::text).transpose().map_err(one_line)?;
        let source = options.config.as_deref().zip(text.as_deref());
        let source = source.map(|(name, text)| Source { name, text });
        let file = source.map(|source| Config::read(source, env)).transpose()?.unwrap_or_default();
        let kind = options.profile.or(file.profile).unwrap_or_default();
        let limits = Limits::new(kind, &file.limits, source)?;
        let upstream = options.upstream.as_ref().or(file.upstream.as_ref()).cloned();
        let gateway = Gateway::new(upstream, (&limits, &file), source)?;
        let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
        Ok(Self { listen: options.listen.or(file.listen).unwrap_or(usual), limits, gateway })
    }
}

// === impl Gateway ===

impl Gateway {
    fn new(
        upstream: Option<Uri>,
        (limits, file): (&Limits, &Config),
        source: Option<Source<'_>>,
    ) -> Result<Self, String> {
        let mut steps = file.ladder.iter();
        let mut ladder = FallbackPolicy::new().resume(file.resume);
        let (mut first, mut name) = (Vec::new(), "primary".to_owned());
        let above = usize::from(upstream.is_some());
        let origin = match upstream {
            Some(origin) => origin,
            None => {
                let step = steps.next();
                let origin = step.and_then(|step| step.targets.first()?.1.clone());
                let Some((step, origin)) = step.zip(origin) else {
                    return Err(nowhere(source, step.map(|step| step.at.clone())));
                };
                ladder = ladder.first(step.rung.clone());
                first = step.targets.iter().map(|(target, _)| target.clone()).collect();
                name = step.name.clone();
                origin
            }
        };
        let origins = file.ladder.iter().flat_map(|step| &step.targets);
        let origins = origins.filter_map(|(_, origin)| origin.as_ref()).chain([&origin]);
        let https = origins.into_iter().any(|uri| uri.scheme_str() == Some("https"));
        let wire = Wire::reconnecting(limits.connect, https)?;
        // What is no chat is not stored.
        let kept = |step: &&Step| step.kind != Kind::Stored;
        let add = |ladder: FallbackPolicy, step: &Step| ladder.rung(step.rung.clone());
        let other = steps.clone().filter(kept).fold(ladder.clone(), add);
        let builder = || {
            let identity = file.identity.iter().cloned();
            identity.fold(Client::builder(), ClientBuilder::identity)
        };
        let other = builder().profile(limits.other.clone()).ladder(other);
        let ladder = steps.fold(ladder, add);
        let profile = file.traffic.put(limits.chat.clone());
        let profile = file.wait.into_iter().fold(profile, Profile::waits);
        let chat = builder().profile(profile).ladder(ladder);
        let chat = file.cache.iter().cloned().fold(chat, ClientBuilder::cache);
        let told = |error: ConfigError| told(&error, (file, above), source);
        Ok(Self {
            chat: chat.over(wire.clone()).map_err(told)?,
            other: other.over(wire).map_err(told)?,
            origin,
            first,
            name,
            body: limits.body,
        })
    }
}

fn nowhere(source: Option<Source<'_>>, at: Option<std::ops::Range<usize>>) -> String {
    let what = "has no first target with a base_url; allowed is one, or --upstream";
    match source {
        Some(source) => source.wrong(&at.unwrap_or(0..0), "ladder", what),
        None => format!("--upstream is missing; {what}"),
    }
}

/// A refusal of evenkeel's own, with the place in the file that it is about. So many rungs stand above those of the file.
fn told(
    error: &ConfigError,
    (file, above): (&Config, usize),
    source: Option<Source<'_>>,
) -> String {
    let Some(source) = source else { return one_line(error) };
    let text = error.to_string();
    let what = text.strip_prefix(error.field()).unwrap_or(&text).trim();
    if error.field().starts_with("ladder.rung[") {
        let digits = error.field().trim_start_matches("ladder.rung[").split(']').next();
        let at = digits.and_then(|at| at.parse::<usize>().ok()).unwrap_or(0);
        let found = file.ladder.get(at.saturating_sub(above));
        let field = error.field().rsplit('.').next().unwrap_or("ladder");
        return source.wrong(&found.map_or(0..0, |step| step.at.clone()), field, what);
    }
    let (at, field) = file.limits.place(error);
    source.wrong(&at, &field, what)
}
