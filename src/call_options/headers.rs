//! Options of a call in the headers of its request.

use std::time::Duration;

use http::HeaderMap;

use super::{CallOptions, models, options::CallFallbacks};
use crate::{
    ConfigError,
    cache::Tenant,
    context::Priority,
    dialect::Dialect,
    stream::{CommitPolicy, MidStreamFailure},
};

const DEADLINE: &str = "evenkeel-deadline-ms";
const PRIORITY: &str = "evenkeel-priority";
const FALLBACKS: &str = "evenkeel-fallbacks";
const AFFINITY: &str = "evenkeel-affinity";
/// The older spelling of [`AFFINITY`].
const STICKY: &str = "evenkeel-sticky";
const COMMIT: &str = "evenkeel-commit";
const TENANT: &str = "evenkeel-tenant";
const MID_STREAM_FAILURE: &str = "evenkeel-mid-stream-failure";
const DIALECT: &str = "evenkeel-dialect";

const PRIORITIES: [(&str, Priority); 2] =
    [("interactive", Priority::Interactive), ("batch", Priority::Batch)];
const COMMITS: [(&str, CommitPolicy); 2] =
    [("first-content", CommitPolicy::FirstContent), ("complete", CommitPolicy::Complete)];
const FAILURES: [(&str, MidStreamFailure); 2] =
    [("error", MidStreamFailure::Error), ("continue", MidStreamFailure::Continue)];

/// The longest affinity key and the longest tenant, in bytes.
const LONGEST: usize = 256;

// === impl CallOptions ===

impl CallOptions {
    /// Parses the [headers](super#the-settings) of a request, for a service that forwards the calls of others. The headers stay:
    /// remove them before the request is sent on. A tenant is one [of its caller](Tenant::of_caller). A
    /// [`Client`](crate::Client) reads none of them by itself, except for the
    /// [deadline](crate::timeout::DeadlinePolicy::header).
    ///
    /// # Errors
    ///
    /// Names the header, its value and what is allowed. Affinity keys and tenants are not shown.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, ConfigError> {
        let mut options = Self::new();
        if let Some(limit) = deadline(headers)? {
            options = options.deadline(limit);
        }
        if let Some(key) = affinity(headers)? {
            options = options.affinity(key);
        }
        Ok(Self {
            priority: choice(headers, PRIORITY, &PRIORITIES)?,
            fallbacks: fallbacks(headers)?,
            commit: choice(headers, COMMIT, &COMMITS)?,
            tenant: hidden(headers, TENANT)?.map(Tenant::of_caller),
            mid_stream_failure: choice(headers, MID_STREAM_FAILURE, &FAILURES)?,
            dialect: choice(headers, DIALECT, &Dialect::ALL.map(|it| (it.name(), it)))?,
            ..options
        })
    }
}

fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, ConfigError> {
    let Some(text) = single(headers, DEADLINE)? else { return Ok(None) };
    match text.parse() {
        Ok(ms @ 1..) => Ok(Some(Duration::from_millis(ms))),
        _ => {
            let allowed = "a whole number of milliseconds, 1 or more";
            Err(ConfigError::new(DEADLINE, shown(text), allowed))
        }
    }
}

fn fallbacks(headers: &HeaderMap) -> Result<Option<CallFallbacks>, ConfigError> {
    let mut names = Vec::new();
    for value in headers.get_all(FALLBACKS) {
        let Ok(text) = value.to_str() else {
            return Err(ConfigError::new(FALLBACKS, "not ASCII", "the names of models"));
        };
        names.extend(text.split(',').map(|name| name.trim().into()));
    }
    if names.is_empty() {
        return Ok(None);
    }
    models::check(FALLBACKS, &names)?;
    Ok(Some(CallFallbacks::Models(names)))
}

/// The affinity key, in either spelling.
fn affinity(headers: &HeaderMap) -> Result<Option<&str>, ConfigError> {
    let (key, sticky) = (hidden(headers, AFFINITY)?, hidden(headers, STICKY)?);
    if key.is_some() && sticky.is_some() {
        return Err(ConfigError::new(STICKY, "set", format!("only one of it and {AFFINITY}")));
    }
    Ok(key.or(sticky))
}

/// A text that is not shown.
fn hidden<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ConfigError> {
    match single(headers, name)? {
        Some(text) if text.is_empty() || text.len() > LONGEST => {
            let allowed = format!("1 to {LONGEST} visible characters");
            Err(ConfigError::new(name, format!("{} bytes long", text.len()), allowed))
        }
        text => Ok(text),
    }
}

/// One of several words.
fn choice<T: Copy>(
    headers: &HeaderMap,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, ConfigError> {
    let Some(text) = single(headers, name)? else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Err(ConfigError::new(name, shown(text), words.join(" or ")))
        }
    }
}

/// The value of a header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ConfigError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ConfigError::new(name, "several values", "one value, once"));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(ConfigError::new(name, "not ASCII", "one value of visible ASCII")),
    }
}

/// The beginning of a value, for an error.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
