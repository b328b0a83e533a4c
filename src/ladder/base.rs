//! Base URLs: which are allowed, and how a request goes to one.

use http::Uri;

use crate::ConfigError;

/// Refuses what no request can be sent to, and what holds a credential. Shows neither.
pub(super) fn check(base: &Result<Uri, String>, field: String) -> Result<(), ConfigError> {
    let allowed = "an http or https URL with a host, such as https://api.example.com/v1";
    let uri = match base {
        Ok(uri) => uri,
        Err(text) => return Err(ConfigError::new(field, shown(text), allowed)),
    };
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    if !scheme || uri.host().is_none_or(str::is_empty) || odd_port(uri) {
        return Err(ConfigError::new(field, shown(&uri.to_string()), allowed));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let allowed = "a URL without a user: put the credential in by bearer() or credential()";
        return Err(ConfigError::new(field, uri.host(), allowed));
    }
    Ok(())
}

/// A URL as it may be shown: keys travel in its query, and in the user before its host.
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

/// Whether what stands in the place of the port is no port.
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

/// The URI at another base.
pub(super) fn rebase(base: &Uri, uri: &Uri) -> Uri {
    let prefix = base.path().trim_end_matches('/');
    let path = match prefix {
        "" => uri.path(),
        _ => endpoint(uri.path()),
    };
    let query = base.query().or(foreign_query(uri));
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    let mut parts = base.clone().into_parts();
    parts.path_and_query = format!("{prefix}{path}{query}").parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| base.clone())
}

/// A caller's query, unless a key travels in it.
fn foreign_query(uri: &Uri) -> Option<&str> {
    let name = |pair: &str| is_secret(pair.split('=').next().unwrap_or(pair));
    uri.query().filter(|query| !query.split('&').any(name))
}

/// Whether a name is that of a header, or of a part of a query, that carries a credential.
pub(super) fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 8] =
        ["auth", "key", "token", "secret", "cookie", "session", "sig", "credential"];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// The part of a path after its version: `/v1/chat/completions` → `/chat/completions`.
fn endpoint(path: &str) -> &str {
    if let Some(at) = path.rfind("/chat/completions") {
        return &path[at..];
    }
    let version = |part: &str| {
        let digits = part.strip_prefix('v').unwrap_or_default();
        digits.starts_with(|c: char| c.is_ascii_digit())
    };
    let mut at = 0;
    for part in path.split_inclusive('/') {
        at += part.len();
        if version(part.trim_end_matches('/')) {
            return if part.ends_with('/') { &path[at - 1..] } else { "" };
        }
    }
    path
}
