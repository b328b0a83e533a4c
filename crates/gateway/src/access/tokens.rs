//! The token of a caller in a request.

use http::{HeaderMap, Uri, header, request::Parts};

use super::path_form::decode;

/// The header for a token beside a credential of the caller's own, which is sent to the upstream.
const OWN: &str = "evenkeel-token";

/// The headers in which clients send a key as it is.
const PLAIN: [&str; 4] = [OWN, "x-api-key", "api-key", "x-goog-api-key"];

/// The query key in which clients of Gemini send a key.
const QUERY_KEY: &str = "key";

/// The most places that are tried.
const MOST: usize = 16;

/// The texts that may be a token, each once, in the order in which they are tried.
pub(super) fn presented(parts: &Parts) -> Vec<String> {
    let plain = PLAIN.iter().flat_map(|name| parts.headers.get_all(*name));
    let plain = plain.filter_map(|value| value.to_str().ok()).map(|value| value.trim().to_owned());
    let bearers = parts.headers.get_all(header::AUTHORIZATION).iter();
    let bearers = bearers.filter_map(|value| bearer(value.to_str().ok()?)).map(str::to_owned);
    let keys = pairs(&parts.uri).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (decode(key)? == QUERY_KEY).then(|| decode(value))?
    });
    let mut all: Vec<String> = Vec::new();
    for text in plain.chain(bearers).chain(keys).take(MOST) {
        if !text.is_empty() && !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// The token of `Bearer TOKEN`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Removes everything that contains the token, wherever it is in the head.
pub(super) fn remove(parts: &mut Parts, token: &str) {
    remove_headers(&mut parts.headers, token);
    let holds =
        |pair: &str| pair.contains(token) || decode(pair).is_some_and(|it| it.contains(token));
    if pairs(&parts.uri).any(holds) {
        let kept: Vec<_> = pairs(&parts.uri).filter(|pair| !holds(pair)).collect();
        let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        let path = format!("{}{query}", parts.uri.path()).parse().ok();
        let mut uri = parts.uri.clone().into_parts();
        uri.path_and_query = path;
        // Parts of a URI are one.
        parts.uri = Uri::from_parts(uri).unwrap_or_default();
    }
}

fn remove_headers(headers: &mut HeaderMap, token: &str) {
    let token = token.as_bytes();
    let holds = |value: &[u8]| value.windows(token.len().max(1)).any(|part| part == token);
    let names = headers.iter().filter(|(_, value)| holds(value.as_bytes()));
    let names: Vec<_> = names.map(|(name, _)| name.clone()).collect();
    names.iter().for_each(|name| drop(headers.remove(name)));
}

fn pairs(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = http::Request::post(uri);
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_token_is_found_wherever_a_client_sends_its_key() {
        for (uri, header) in [
            ("/", Some(("authorization", "Bearer tok"))),
            ("/", Some(("authorization", "bearer  tok"))),
            ("/", Some(("x-api-key", "tok"))),
            ("/", Some(("api-key", " tok "))),
            ("/", Some(("x-goog-api-key", "tok"))),
            ("/", Some(("evenkeel-token", "tok"))),
            ("/?alt=sse&key=tok", None),
            ("/?k%65y=to%6b", None),
        ] {
            let mut parts = parts(uri, header.as_slice());
            assert_eq!(presented(&parts), ["tok"], "{uri} {header:?}");
            remove(&mut parts, "tok");
            assert!(presented(&parts).is_empty() && parts.headers.is_empty(), "{parts:?}");
            assert!(!parts.uri.to_string().contains("to"), "{}", parts.uri);
        }
        assert!(
            presented(&parts("/?keys=tok&other=tok", &[("authorization", "Basic tok")])).is_empty()
        );
    }

    #[test]
    fn all_that_holds_the_token_is_removed_and_nothing_else() {
        let headers = [
            ("authorization", "Bearer tok"),
            ("x-litellm-key", "Bearer tok"),
            ("cookie", "a=tok; b=c"),
            ("x-api-key", "another"),
            ("x-any", "to"),
        ];
        let mut parts = parts("/v1/x?a=b%20c&key=tok&d=%tok%", &headers);
        assert_eq!(presented(&parts), ["another", "tok"]);
        remove(&mut parts, "tok");
        assert_eq!(parts.uri, "/v1/x?a=b%20c");
        let mut names: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["x-any", "x-api-key"]);
        let untouched = parts.uri.clone();
        remove(&mut parts, "gone");
        assert_eq!(parts.uri, untouched);
    }
}
