//! URLs without secrets.

use http::Uri;

/// The maximum number of bytes kept of a path.
const MOST: usize = 256;

/// A URL that is safe to log: without its query and user, which may hold a key, and with a path of bounded length.
pub(super) fn redacted(uri: &Uri) -> String {
    let mut url = String::new();
    if let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) {
        let user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        url.extend([scheme, "://", if user { "REDACTED:REDACTED@" } else { "" }, host]);
        if let Some(port) = uri.port_u16() {
            url.push(':');
            url.push_str(&port.to_string());
        }
    }
    let plain = uri.path().chars().take(MOST).map(|c| if c.is_ascii_graphic() { c } else { '*' });
    url.extend(plain);
    if uri.path().len() > MOST {
        url.push('*');
    }
    if uri.query().is_some_and(|query| !query.is_empty()) {
        url.push_str("?REDACTED");
    }
    url
}

/// The port of a URI: its own, or the usual one of its scheme.
pub(super) fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or_else(|| match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_logged_without_its_query_and_user() {
        for (uri, expected) in [
            (
                "https://h.example/v1/m:generateContent?key=k&alt=sse",
                "https://h.example/v1/m:generateContent?REDACTED",
            ),
            ("http://user:secret@h.example:8080/", "http://REDACTED:REDACTED@h.example:8080/"),
            ("/relative?key=k", "/relative?REDACTED"),
            ("http://h.example/?", "http://h.example/"),
        ] {
            assert_eq!(redacted(&uri.parse().unwrap()), expected);
        }
        let long = format!("http://h/{}", "x".repeat(10_000));
        assert!(redacted(&long.parse().unwrap()).len() < 300);
    }
}
