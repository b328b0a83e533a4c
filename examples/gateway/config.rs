//! What the file says, as it says it.

use std::{net::SocketAddr, path::Path};

use evenkeel::{cache::CachePolicy, identity::IdentityPolicy, stream::Resume};
use http::Uri;
use serde::Deserialize;
use toml::Spanned;

use super::{
    identity::IdentityTable,
    limits::LimitsTable,
    options::{Kind, listen, profile},
    place::{Source, origin},
    targets::{CannedTable, Kind as RungKind, Step, StoredTable, TargetTable, steps},
    traffic::{CacheTable, Traffic, TrafficTable, cache},
};

/// The file. See `gateway.toml` for what each field means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Spanned<String>>,
    upstream: Option<Spanned<String>>,
    profile: Option<Spanned<String>>,
    ladder: Option<Spanned<Vec<Spanned<String>>>>,
    resume: Option<Spanned<String>>,
    wait: Option<bool>,
    #[serde(default)]
    target: Vec<Spanned<TargetTable>>,
    #[serde(default)]
    stored: Vec<Spanned<StoredTable>>,
    #[serde(default)]
    canned: Vec<Spanned<CannedTable>>,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    traffic: TrafficTable,
    cache: Option<CacheTable>,
    identity: Option<IdentityTable>,
}

/// A configuration, each part right by itself.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) upstream: Option<Uri>,
    pub(crate) profile: Option<Kind>,
    /// The rungs in their order.
    pub(crate) ladder: Vec<Step>,
    /// What becomes of a stream that fails after its head.
    pub(crate) resume: Resume,
    /// Whether calls wait for recovery when all rungs are out, where that is said.
    pub(crate) wait: Option<bool>,
    pub(crate) limits: LimitsTable,
    pub(crate) traffic: Traffic,
    pub(crate) cache: Option<CachePolicy>,
    /// By what callers are known, where that is said.
    pub(crate) identity: Option<IdentityPolicy>,
}

/// More is no configuration.
const LARGEST: u64 = 1024 * 1024;

// === impl Config ===

impl Config {
    /// Reads a file's text. `env` is the environment. The error is one line.
    pub(crate) fn read(
        source: Source<'_>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let file: File = toml::from_str(source.text).map_err(|error| source.unread(&error))?;
        let tables = (&file.target[..], &file.stored[..], &file.canned[..]);
        let ladder = steps(source, tables, file.ladder.as_ref(), env)?;
        let stored = ladder.iter().any(|step| step.kind == RungKind::Stored);
        // Stored answers need a place to be stored in.
        let table = file.cache.or(stored.then(CacheTable::default));
        Ok(Self {
            listen: one(source, "listen", file.listen.as_ref(), listen)?,
            upstream: one(source, "upstream", file.upstream.as_ref(), origin)?,
            profile: one(source, "profile", file.profile.as_ref(), profile)?,
            ladder,
            resume: one(source, "resume", file.resume.as_ref(), resume)?.unwrap_or_default(),
            wait: file.wait,
            limits: file.limits,
            traffic: Traffic::read(source, &file.traffic)?,
            cache: table.map(|table| cache(source, &table)).transpose()?,
            identity: file.identity.map(|table| table.read(source)).transpose()?,
        })
    }
}

/// The text of a file.
pub(crate) fn text(file: &Path) -> Result<String, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let length = std::fs::metadata(file).map_err(|error| wrong(&error))?.len();
    if length > LARGEST {
        return Err(wrong(&"the file is larger than 1 MiB"));
    }
    std::fs::read_to_string(file).map_err(|error| wrong(&error))
}

fn resume(text: &str) -> Result<Resume, String> {
    match text {
        "off" => Ok(Resume::Off),
        "continue" => Ok(Resume::Continue),
        _ => Err(format!("is {text:?}; allowed is off or continue")),
    }
}

fn one<T>(
    source: Source<'_>,
    field: &str,
    value: Option<&Spanned<String>>,
    read: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let read = |value: &Spanned<String>| {
        read(value.get_ref()).map_err(|what| source.wrong(&value.span(), field, &what))
    };
    value.map(read).transpose()
}
