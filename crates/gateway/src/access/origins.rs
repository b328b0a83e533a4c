//! Requests of web pages.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};

use super::refusal::Refusal;

/// The origins of web pages that may send requests: lower case, without the default port.
#[derive(Clone, Debug)]
pub(super) struct Origins(Vec<String>);

/// The origin of an allowed page, which gets CORS headers; `None` for everything else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cors(Option<HeaderValue>);

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");
/// How long a browser may keep the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

// === impl Origins ===

impl Origins {
    pub(super) fn new(allowed: Vec<String>) -> Self {
        Self(allowed)
    }

    /// Rejects a request of a web page that is not allowed.
    pub(super) fn check(&self, parts: &Parts) -> Result<Cors, Refusal> {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let (origin, second) = (origins.next(), origins.next());
        let text = origin.and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        let text = without_default_port(text.to_ascii_lowercase());
        if second.is_none() && self.0.contains(&text) {
            return Ok(Cors(origin.cloned()));
        }
        let site = parts.headers.get_all(SEC_FETCH_SITE);
        let apart = site.iter().any(|site| site != "same-origin" && site != "none");
        let foreign = origin.is_some() && (second.is_some() || !is_own(&text, parts));
        if !apart && !foreign {
            return Ok(Cors::default());
        }
        let message = "the request is from a web page of another origin; allowed are the origins in allow_origins of the \
                       configuration of this gateway";
        Err(Refusal::forbidden("foreign_origin", message))
    }
}

/// Whether an origin is that of the host that the request is addressed to.
fn is_own(origin: &str, parts: &Parts) -> bool {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default().to_ascii_lowercase();
    ["http", "https"]
        .iter()
        .any(|scheme| without_default_port(format!("{scheme}://{host}")) == origin)
        && !host.is_empty()
}

fn without_default_port(origin: String) -> String {
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    let web = origin.starts_with("http://") || origin.starts_with("https://");
    match origin.strip_suffix(port).filter(|_| web) {
        Some(bare) => bare.to_owned(),
        None => origin,
    }
}

// === impl Cors ===

impl Cors {
    /// The headers of the answer to a preflight; `None` if the request is not a preflight.
    pub(crate) fn preflight(&self, parts: &Parts) -> Option<HeaderMap> {
        let asked = parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if self.0.is_none() || parts.method != Method::OPTIONS || !asked {
            return None;
        }
        let mut headers = HeaderMap::new();
        self.mark(&mut headers);
        headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        // `*` would leave out `authorization`.
        if let Some(asked) = parts.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        if parts.headers.contains_key(PRIVATE_NETWORK) {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        Some(headers)
    }

    /// Sets the headers that let the page read the answer, in place of those of an upstream.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        let Some(origin) = &self.0 else { return };
        let theirs = headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
        let theirs: Vec<_> = theirs.cloned().collect();
        theirs.iter().for_each(|name| drop(headers.remove(name)));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &'static str)]) -> Result<bool, u16> {
        let origins = Origins::new(vec!["https://chat.example.com".into(), "app://local".into()]);
        let mut request =
            http::Request::post("/v1/chat/completions").header("host", "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let checked = origins.check(&parts).map(|cors| cors.0.is_some());
        checked.map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn only_pages_of_the_gateway_and_of_allowed_origins_may_send_requests() {
        for (headers, expected) in [
            (&[][..], Ok(false)),
            (&[("sec-fetch-site", "none")], Ok(false)),
            (&[("sec-fetch-site", "same-origin")], Ok(false)),
            (&[("sec-fetch-site", "same-site")], Err(403)),
            (&[("sec-fetch-site", "cross-site")], Err(403)),
            (&[("origin", "http://127.0.0.1:8080")], Ok(false)),
            (&[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "cross-site")], Err(403)),
            (&[("origin", "http://127.0.0.1:3000")], Err(403)),
            (&[("origin", "http://127.0.0.1")], Err(403)),
            (&[("origin", "null")], Err(403)),
            (&[("origin", "")], Err(403)),
            (&[("origin", "https://evil.test")], Err(403)),
            (&[("origin", "https://chat.example.com.evil.test")], Err(403)),
            (&[("origin", "http://chat.example.com")], Err(403)),
            (&[("origin", "https://chat.example.com")], Ok(true)),
            (
                &[("origin", "https://chat.example.com:443"), ("sec-fetch-site", "cross-site")],
                Ok(true),
            ),
            (&[("origin", "app://local"), ("sec-fetch-site", "cross-site")], Ok(true)),
            (&[("origin", "https://chat.example.com"), ("origin", "https://evil.test")], Err(403)),
        ] {
            assert_eq!(check(headers), expected, "{headers:?}");
        }
    }
}
