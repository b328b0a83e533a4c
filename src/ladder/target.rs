//! Where an attempt goes: base URL, credentials, model.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHORIZATION},
};

use crate::{
    ConfigError, Request,
    context::{CREDENTIALS, Call, Route, fingerprint, provider},
    dialect::{Ask, endpoint},
};

/// Where an attempt goes: base URL, credentials and model. What is not set stays as the caller sent it.
#[derive(Clone)]
pub struct Target {
    base: Option<Result<Uri, String>>,
    headers: Vec<(HeaderName, Result<HeaderValue, ()>)>,
    model: Option<Box<str>>,
    label: Option<Box<str>>,
}

/// Headers that speak for the caller at one host, and must not reach another.
const PERSONAL: [&str; 4] =
    ["openai-organization", "openai-project", "anthropic-workspace-id", "x-goog-user-project"];

/// Names under which a credential travels in a query.
const KEYS: [&str; 6] = ["key", "api_key", "api-key", "apikey", "access_token", "subscription-key"];

// === impl Target ===

impl Target {
    /// Another base URL, with the path that its API stands under: `https://api.example.com/v1`.
    ///
    /// The path of a request goes on behind it: all of it for a base without a path, else the part after the caller's
    /// own version (`/v1`), so `…/v1/chat/completions` becomes `https://api.example.com/v1/chat/completions`.
    pub fn new(base: impl AsRef<str>) -> Self {
        let base = base.as_ref();
        Self { base: Some(base.parse().map_err(|_| base.into())), ..Self::here() }
    }

    /// The host that the caller addressed: for another model or key there.
    pub fn here() -> Self {
        Self { base: None, headers: Vec::new(), model: None, label: None }
    }

    /// Another model.
    #[must_use]
    pub fn model(mut self, model: &str) -> Self {
        self.model = Some(model.into());
        self
    }

    /// The key of this target, sent as `authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.credential(AUTHORIZATION, &format!("Bearer {key}"))
    }

    /// A header with a credential of this target, such as `api-key` or `x-api-key`.
    #[must_use]
    pub fn credential(mut self, name: HeaderName, secret: &str) -> Self {
        let value = HeaderValue::from_str(secret).map_err(drop).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self.headers.push((name, value));
        self
    }

    /// A name for the credential in routes and events, such as `team-a`; else a fingerprint that is new in every
    /// process.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn name(&self) -> String {
        let host = self.uri().and_then(Uri::host);
        self.model.as_deref().or(host).unwrap_or("target").to_owned()
    }

    fn uri(&self) -> Option<&Uri> {
        self.base.as_ref().and_then(|base| base.as_ref().ok())
    }

    /// The request for this target.
    pub(super) fn apply(&self, mut request: Request, ask: &Ask) -> Request {
        if let Some(base) = self.uri() {
            if origin(base) != origin(request.uri()) {
                strangers(request.headers_mut());
            }
            request.headers_mut().remove(HOST);
            let uri = rebase(base, request.uri());
            *request.uri_mut() = uri;
        } else if !self.headers.is_empty() {
            let uri = keyless(request.uri());
            *request.uri_mut() = uri;
        }
        if !self.headers.is_empty() {
            CREDENTIALS.iter().for_each(|name| drop(request.headers_mut().remove(*name)));
        }
        for (name, value) in &self.headers {
            if let Ok(value) = value {
                request.headers_mut().insert(name.clone(), value.clone());
            }
        }
        if let (Some(model), Some(dialect)) = (&self.model, ask.dialect()) {
            dialect.with_model(&mut request, model);
            if request.headers().contains_key(CONTENT_LENGTH) {
                let length = HeaderValue::from(request.body().len());
                request.headers_mut().insert(CONTENT_LENGTH, length);
            }
        }
        let route = self.route(&request, ask);
        Call::of(&mut request).route = Some(route);
        request
    }

    fn route(&self, request: &Request, ask: &Ask) -> Route {
        let provider = &*provider(request.uri());
        let model = self.model.as_deref().or(ask.model()).unwrap_or("-");
        match &self.label {
            Some(label) => Route::new(provider, model, label),
            None => Route::new(provider, model, &fingerprint(request.headers())),
        }
    }

    pub(super) fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        let allowed = "an http or https URL with a host, such as https://api.example.com/v1";
        match &self.base {
            Some(Err(text)) => return Err(ConfigError::new(field("base_url"), text, allowed)),
            Some(Ok(uri)) => {
                let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
                let user =
                    uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
                if !scheme || uri.host().is_none_or(str::is_empty) {
                    return Err(ConfigError::new(field("base_url"), uri, allowed));
                }
                if user {
                    let allowed =
                        "a URL without a user: put the credential in by bearer() or credential()";
                    return Err(ConfigError::new(field("base_url"), uri.host(), allowed));
                }
            }
            None => {}
        }
        if self.model.as_deref().is_some_and(|model| model.trim().is_empty()) {
            return Err(ConfigError::new(field("model"), "", "a model's name"));
        }
        for (name, value) in &self.headers {
            if value.is_err() {
                let allowed = "a secret without line breaks or control characters";
                return Err(ConfigError::new(field("credential"), name, allowed));
            }
        }
        if self.base.is_none() && self.headers.is_empty() && self.model.is_none() {
            let allowed = "at least one of base URL, model and credential";
            return Err(ConfigError::new(field("target"), "empty", allowed));
        }
        Ok(())
    }
}

/// Scheme, host and port: what a credential belongs to.
fn origin(uri: &Uri) -> (Option<&str>, Option<String>, Option<u16>) {
    let port = uri.port_u16().or(match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    });
    (uri.scheme_str(), uri.host().map(str::to_ascii_lowercase), port)
}

/// Takes out everything that speaks for the caller at the host it addressed.
fn strangers(headers: &mut HeaderMap) {
    for name in CREDENTIALS.iter().chain(&PERSONAL) {
        headers.remove(*name);
    }
    headers.remove(COOKIE);
    headers.remove(PROXY_AUTHORIZATION);
}

/// The URI at another base.
fn rebase(base: &Uri, uri: &Uri) -> Uri {
    let prefix = base.path().trim_end_matches('/');
    let path = match prefix {
        "" => uri.path(),
        _ => endpoint(uri.path(), prefix),
    };
    at(base, format!("{prefix}{path}{}", query(base, uri)))
}

/// The URI without a key that travels in its query: another takes its place.
fn keyless(uri: &Uri) -> Uri {
    at(uri, format!("{}{}", uri.path(), query(&Uri::default(), uri)))
}

/// Another path at the same origin.
fn at(origin: &Uri, path_and_query: String) -> Uri {
    let mut parts = origin.clone().into_parts();
    parts.path_and_query = path_and_query.parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| origin.clone())
}

/// The query of the base with what the caller's own has beside it, but for a key that travels in it.
fn query(base: &Uri, uri: &Uri) -> String {
    let pairs = |query| str::split(query, '&').filter(|pair| !pair.is_empty());
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let own: Vec<_> = pairs(base.query().unwrap_or_default()).collect();
    let stays = |pair: &&str| {
        let foreign = name(pair);
        !KEYS.contains(&&*foreign) && own.iter().all(|pair| name(pair) != foreign)
    };
    let rest = pairs(uri.query().unwrap_or_default()).filter(stays);
    let all: Vec<_> = own.iter().copied().chain(rest).collect();
    if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("base", &self.uri().map(|uri| (uri.host(), uri.port_u16(), uri.path())))
            .field("model", &self.model)
            .field("credentials", &self.headers.len())
            .field("label", &self.label)
            .finish()
    }
}
