//! The command line and the file together.

use std::net::SocketAddr;

use evenkeel::{
    Client, ConfigError,
    ladder::{LadderPolicy, Target},
};
use http::Uri;

use super::{
    config::{self, Config},
    limits::Limits,
    options::Options,
    place::{Source, one_line},
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
    /// The first rung: a target of the file, or the upstream as it is.
    pub(crate) first: Option<Target>,
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
        let (mut chat, mut other) = (LadderPolicy::new(), LadderPolicy::new());
        let (mut first, mut name) = (None, "primary".to_owned());
        let origin = match upstream {
            Some(origin) => origin,
            None => {
                let step = steps.next();
                let found = step.and_then(|step| step.target.clone().zip(Some(step)));
                let Some(((target, Some(origin)), step)) = found else {
                    return Err(nowhere(source, step.map(|step| step.at.clone())));
                };
                chat = chat.first(step.rung.clone());
                other = other.first(step.rung.clone());
                (first, name) = (Some(target), step.name.clone());
                origin
            }
        };
        let origins = file.ladder.iter().filter_map(|step| step.target.as_ref()?.1.as_ref());
        let https = origins.chain([&origin]).any(|uri| uri.scheme_str() == Some("https"));
        let wire = Wire::new(limits.connect, https)?;
        chat = steps.fold(chat, |chat, step| chat.rung(step.rung.clone()));
        let told = |error: ConfigError| told(&error, file, source);
        let chat = Client::builder().profile(limits.chat.clone()).ladder(chat);
        let other = Client::builder().profile(limits.other.clone()).ladder(other);
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

/// A refusal of evenkeel's own, with the place in the file that it is about.
fn told(error: &ConfigError, file: &Config, source: Option<Source<'_>>) -> String {
    let Some(source) = source else { return one_line(error) };
    let text = error.to_string();
    let what = text.strip_prefix(error.field()).unwrap_or(&text).trim();
    if error.field().starts_with("ladder.rung[") {
        let digits = error.field().trim_start_matches("ladder.rung[").split(']').next();
        let at: usize = digits.and_then(|at| at.parse().ok()).unwrap_or(0);
        // With an upstream of its own, the first rung of the file is the second.
        let found = file.ladder.get(at).or(file.ladder.last());
        let field = error.field().rsplit('.').next().unwrap_or("ladder");
        return source.wrong(&found.map_or(0..0, |step| step.at.clone()), field, what);
    }
    let (at, field) = file.limits.place(error);
    source.wrong(&at, &field, what)
}
