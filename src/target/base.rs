//! Base URLs: validation, and moving a request to another base.

use http::Uri;

use crate::{
    ConfigError,
    dialect::{Dialect, endpoint},
    identity::{IdentityPolicy, Pair},
};

const A_URL: &str = "an http or https URL with a host, such as https://api.example.com/v1";

/// Rejects a base URL that cannot be sent to, or that holds a credential. Shows neither.
pub(super) fn check(base: &Result<Uri, String>, field: String) -> Result<(), ConfigError> {
    let uri = match base {
        Ok(uri) => uri,
        Err(text) if text.contains('#') => {
            let value = format_args!("{:?} with a fragment", shown(text));
            let allowed = "a URL without a fragment (#…): a fragment is never sent";
            return Err(ConfigError::new(field, value, allowed));
        }
        Err(text) => return Err(ConfigError::new(field, shown(text), A_URL)),
    };
    match fault(uri) {
        Some(allowed) => Err(ConfigError::new(field, shown(&uri.to_string()), allowed)),
        None => Ok(()),
    }
}

/// What is allowed instead of that URL, if no call would arrive there.
fn fault(uri: &Uri) -> Option<&'static str> {
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_http || uri.host().is_none_or(str::is_empty) || odd_port(uri) {
        return Some(A_URL);
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Some("a URL without a user: set the credential by bearer() or credential()");
    }
    if uri.path().contains(['{', '}', '<', '>']) {
        return Some("a URL without placeholders, such as https://api.example.com/v1");
    }
    // The path of the call would be appended to it, and no server answers there.
    is_of_a_call(uri.path()).then_some(
        "the base of the API without the path of a call, such as https://api.example.com/v1; an unusual path is named by \
         endpoint()",
    )
}

/// Whether it is the path of a call, or its beginning: `/v1/chat/completions`, `/v1/embeddings`, `/v1/chat`. A base without a
/// version may end in such a word: `https://name.services.ai.azure.com/models`.
fn is_of_a_call(path: &str) -> bool {
    const WORDS: [&str; 7] =
        ["audio", "chat", "completions", "embeddings", "images", "models", "moderations"];
    let path = path.trim_end_matches('/');
    let is_version = |part: &str| {
        part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut parts = path.split('/').skip_while(|part| !is_version(part)).skip(1);
    let after_version = parts.next().is_some_and(|part| WORDS.contains(&part));
    Dialect::of_path(path).is_some() || path.ends_with("/messages") || after_version
}

/// Rejects a path that no target can answer at.
pub(super) fn check_endpoint(
    path: &str,
    dialect: Option<Dialect>,
    field: String,
) -> Result<(), ConfigError> {
    let plain = path.starts_with('/') && !path.contains(['?', '#']);
    let allowed = if !plain || path.parse::<Uri>().is_err() {
        "a path that begins with a slash, without a query: /custom/complete"
    } else if dialect == Some(Dialect::Gemini) {
        "none for Gemini: its paths name the model"
    } else {
        return Ok(());
    };
    Err(ConfigError::new(field, path, allowed))
}

/// A URL that is safe to show: without its query and user, which may hold keys.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    match url.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://…@{host}")
        }
        None => url.to_owned(),
    }
}

/// Whether the authority has a port that is not a number.
fn odd_port(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let behind = authority.rsplit(['@', ']']).next().unwrap_or(authority);
    behind.contains(':') && uri.port_u16().is_none()
}

/// Scheme, host and port: what a credential belongs to.
pub(super) fn origin(uri: &Uri) -> (Option<&str>, Option<String>, Option<u16>) {
    let port = uri.port_u16().or(match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    });
    (uri.scheme_str(), uri.host().map(str::to_ascii_lowercase), port)
}

/// The URI at another base; with `path` appended to the base, if there is one.
pub(super) fn rebase(base: &Uri, uri: &Uri, path: Option<&str>, identity: &IdentityPolicy) -> Uri {
    let prefix = base.path().trim_end_matches('/');
    let path = match (path, prefix) {
        (Some(path), _) => path,
        (None, "") => uri.path(),
        (None, _) => endpoint(uri.path(), prefix),
    };
    let away = origin(base) != origin(uri);
    let goes = |pair: &Pair<'_>| match away {
        true => identity.is_forwarded_pair(*pair),
        false => !identity.is_secret_key(&pair.key()),
    };
    at(base, format!("{prefix}{path}{}", query(base, uri, goes)))
}

/// The URI without a key in its query, since another key replaces it.
pub(super) fn keyless(uri: &Uri, identity: &IdentityPolicy) -> Uri {
    let goes = |pair: &Pair<'_>| !identity.is_secret_key(&pair.key());
    at(uri, format!("{}{}", uri.path(), query(&Uri::default(), uri, goes)))
}

/// The URI with another path.
pub(super) fn with_path(uri: &Uri, path: &str) -> Uri {
    let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
    at(uri, format!("{path}{query}"))
}

/// Another path at the same origin.
fn at(origin: &Uri, path_and_query: String) -> Uri {
    let mut parts = origin.clone().into_parts();
    parts.path_and_query = path_and_query.parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| origin.clone())
}

/// The query of the base, plus those of the caller's pairs that are forwarded and not in the base.
fn query(base: &Uri, uri: &Uri, goes: impl Fn(&Pair<'_>) -> bool) -> String {
    let pairs = |uri| Pair::all(Uri::query(uri).unwrap_or_default());
    let own: Vec<_> = pairs(base).collect();
    let absent = |pair: &Pair<'_>| own.iter().all(|own| own.key() != pair.key());
    let rest = pairs(uri).filter(|pair| goes(pair) && absent(pair));
    let all: Vec<_> = own.iter().copied().chain(rest).map(Pair::as_str).collect();
    if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) }
}
