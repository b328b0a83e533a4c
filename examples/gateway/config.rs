//! What the file says, as it says it.

use std::{net::SocketAddr, path::Path};

use http::Uri;
use serde::Deserialize;
use toml::Spanned;

use super::{
    limits::LimitsTable,
    options::{Kind, listen, profile},
    place::{Source, origin},
    targets::{CannedTable, Step, TargetTable, steps},
};

/// The file. See `gateway.toml` for what each field means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Spanned<String>>,
    upstream: Option<Spanned<String>>,
    profile: Option<Spanned<String>>,
    ladder: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    target: Vec<Spanned<TargetTable>>,
    #[serde(default)]
    canned: Vec<Spanned<CannedTable>>,
    #[serde(default)]
    limits: LimitsTable,
}

/// A configuration, each part right by itself.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) upstream: Option<Uri>,
    pub(crate) profile: Option<Kind>,
    /// The rungs in their order.
    pub(crate) ladder: Vec<Step>,
    pub(crate) limits: LimitsTable,
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
        Ok(Self {
            listen: one(source, "listen", file.listen.as_ref(), listen)?,
            upstream: one(source, "upstream", file.upstream.as_ref(), origin)?,
            profile: one(source, "profile", file.profile.as_ref(), profile)?,
            ladder: steps(source, (&file.target, &file.canned), file.ladder.as_ref(), env)?,
            limits: file.limits,
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
