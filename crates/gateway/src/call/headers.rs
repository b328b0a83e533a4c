//! The headers that are forwarded.

use evenkeel::{CallOptions, dialect::Dialect};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

/// Headers of one hop (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Removes from a request the headers that are not for the upstream.
///
/// In a known dialect `accept-encoding` becomes `identity`: an error event can be added only to a plain stream, and plain bytes
/// need not be decoded. An upstream that encodes its answer all the same is understood with the feature `compression`; without it,
/// an error within a 200 or a truncated stream counts as a success.
pub(crate) fn strip_request(headers: &mut HeaderMap, known: bool) {
    strip_hop_by_hop(headers);
    headers.remove(header::HOST);
    headers.remove(header::EXPECT);
    let ours = |name: &&HeaderName| name.as_str().starts_with("evenkeel-");
    let ours: Vec<_> = headers.keys().filter(ours).cloned().collect();
    ours.iter().for_each(|name| drop(headers.remove(name)));
    if known {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
}

/// Removes from a response the headers that are not for the caller.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> = named
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| *name != header::CONTENT_LENGTH)
        .collect();
    HOP_BY_HOP.iter().chain(&named).for_each(|name| drop(headers.remove(name)));
}

/// Whether a request asks for a WebSocket (RFC 6455, 4.1).
pub(crate) fn is_websocket(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::UPGRADE).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case("websocket"))
}

/// The dialect for errors: that of the header, of the path, else that of the headers, else OpenAI chat.
pub(crate) fn caller_dialect(parts: &Parts) -> Dialect {
    let path = parts.uri.path();
    let declared = CallOptions::from_headers(&parts.headers).ok();
    if let Some(dialect) = declared.and_then(|options| options.declared_dialect()) {
        return dialect;
    }
    let has = |name: &str| parts.headers.contains_key(name);
    match Dialect::of_path(path) {
        Some(dialect) => dialect,
        None if has("anthropic-version") || path.contains("/v1/messages") => Dialect::Anthropic,
        None if has("x-goog-api-key") || path.starts_with("/v1beta/") => Dialect::Gemini,
        None if path.starts_with("/api/") => Dialect::Ollama,
        None => Dialect::OpenAiChat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn only_headers_for_the_upstream_are_forwarded() {
        let mut all = headers(&[
            ("authorization", "Bearer k"),
            ("x-stainless-lang", "python"),
            ("cookie", "c"),
            ("content-length", "2"),
            ("host", "h"),
            ("connection", "close, X-Mine, content-length"),
            ("x-mine", "1"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "p"),
            ("proxy-connection", "close"),
            ("expect", "100-continue"),
            ("evenkeel-fallbacks", "m"),
            ("evenkeel-deadline-ms", "9"),
            ("evenkeel-anything", "m"),
            ("accept-encoding", "gzip"),
        ]);
        let mut unknown = all.clone();
        strip_request(&mut all, true);
        let left =
            ["accept-encoding", "authorization", "content-length", "cookie", "x-stainless-lang"];
        assert_eq!(names(&all), left);
        assert_eq!(all["accept-encoding"], "identity");
        strip_request(&mut unknown, false);
        assert_eq!(unknown["accept-encoding"], "gzip");
    }

    #[test]
    fn the_dialect_of_an_unknown_path_is_that_of_its_headers() {
        let dialect = |path: &str, pairs| {
            let (mut parts, ()) = http::Request::get(path).body(()).unwrap().into_parts();
            parts.headers = headers(pairs);
            caller_dialect(&parts)
        };
        assert_eq!(dialect("/v1/models", &[]), Dialect::OpenAiChat);
        assert_eq!(
            dialect("/v1/models", &[("anthropic-version", "2023-06-01")]),
            Dialect::Anthropic
        );
        assert_eq!(dialect("/v1/messages/count_tokens", &[]), Dialect::Anthropic);
        assert_eq!(dialect("/v1beta/models", &[]), Dialect::Gemini);
        assert_eq!(dialect("/api/tags", &[]), Dialect::Ollama);
        assert_eq!(dialect("/v1/responses", &[]), Dialect::OpenAiResponses);
    }
}
