//! The configuration file.

use std::{net::SocketAddr, ops::Range, path::Path};

use evenkeel::{
    cache::CachePolicy, identity::IdentityPolicy, outcome::ErrorCodeTable, stream::MidStreamFailure,
};
use http::Uri;
use serde::Deserialize;
use toml::Spanned;

use super::{
    cache::CacheTable,
    config_location::{ConfigSource, origin},
    identity::IdentityTable,
    limits::LimitsTable,
    options::{ProfileName, listen, profile},
    outcomes::{OutcomeTable, error_codes},
    rate_limits::{TrafficLimits, TrafficTable},
    target_tables::{CannedTable, StoredTable, Tables, TargetTable},
    targets::{FallbackKind, NamedFallback, fallbacks},
};

/// The file as it is written. `gateway.toml` explains each key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Spanned<String>>,
    upstream: Option<Spanned<String>>,
    profile: Option<Spanned<String>>,
    fallbacks: Option<Spanned<Vec<Spanned<String>>>>,
    mid_stream_failure: Option<Spanned<String>>,
    wait_for_recovery: Option<bool>,
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
    #[serde(default)]
    outcome: Vec<Spanned<OutcomeTable>>,
}

/// A configuration, each part valid by itself.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) upstream: Option<Uri>,
    pub(crate) profile: Option<ProfileName>,
    /// The fallbacks in the order of the key `fallbacks`.
    pub(crate) fallbacks: Vec<NamedFallback>,
    /// What happens when a stream fails after its head.
    pub(crate) mid_stream_failure: MidStreamFailure,
    /// Its position in the file.
    pub(crate) mid_stream_failure_at: Range<usize>,
    /// Whether calls wait for recovery when every fallback is unavailable; `None` is the profile's default.
    pub(crate) wait_for_recovery: Option<bool>,
    pub(crate) limits: LimitsTable,
    pub(crate) traffic: TrafficLimits,
    pub(crate) cache: Option<CachePolicy>,
    /// The headers that identify callers; `None` is evenkeel's default.
    pub(crate) identity: Option<IdentityPolicy>,
    /// The meanings of errors; `None` is evenkeel's own table.
    pub(crate) error_codes: Option<ErrorCodeTable>,
}

/// A larger file is refused unread.
const MAX_BYTES: u64 = 1024 * 1024;

// === impl Config ===

impl Config {
    /// Parses the text of a file. `env` looks up a variable of the environment. The error is one line.
    pub(crate) fn parse(
        source: ConfigSource<'_>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let file: File = toml::from_str(source.text).map_err(|error| source.toml_error(&error))?;
        let tables = Tables { targets: &file.target, stored: &file.stored, canned: &file.canned };
        let fallbacks = fallbacks(source, tables, file.fallbacks.as_ref(), env)?;
        let stored = fallbacks.iter().any(|fallback| fallback.kind == FallbackKind::Stored);
        // A stored fallback needs a cache, also where the file sets none.
        let table = file.cache.or(stored.then(CacheTable::default));
        Ok(Self {
            listen: optional(source, "listen", file.listen.as_ref(), listen)?,
            upstream: optional(source, "upstream", file.upstream.as_ref(), origin)?,
            profile: optional(source, "profile", file.profile.as_ref(), profile)?,
            fallbacks,
            mid_stream_failure_at: file.mid_stream_failure.as_ref().map_or(0..0, Spanned::span),
            mid_stream_failure: optional(
                source,
                "mid_stream_failure",
                file.mid_stream_failure.as_ref(),
                mid_stream_failure,
            )?
            .unwrap_or_default(),
            wait_for_recovery: file.wait_for_recovery,
            limits: file.limits,
            traffic: TrafficLimits::validate(source, &file.traffic)?,
            cache: table.map(|table| table.policy(source)).transpose()?,
            error_codes: error_codes(source, &file.outcome)?,
            identity: file.identity.map(|table| table.policy(source)).transpose()?,
        })
    }
}

/// Reads the text of a file.
pub(crate) fn read_text(file: &Path) -> Result<String, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let length = std::fs::metadata(file).map_err(|error| wrong(&error))?.len();
    if length > MAX_BYTES {
        return Err(wrong(&"the file is larger than 1 MiB"));
    }
    std::fs::read_to_string(file).map_err(|error| wrong(&error))
}

fn mid_stream_failure(text: &str) -> Result<MidStreamFailure, String> {
    match text {
        "error" => Ok(MidStreamFailure::Error),
        "continue" => Ok(MidStreamFailure::Continue),
        _ => Err(format!("is {text:?}; allowed is error or continue")),
    }
}

/// A key that may be left out, parsed by `parse`.
fn optional<T>(
    source: ConfigSource<'_>,
    field: &str,
    value: Option<&Spanned<String>>,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let parse = |value: &Spanned<String>| {
        parse(value.get_ref()).map_err(|what| source.error_at(&value.span(), field, &what))
    };
    value.map(parse).transpose()
}
