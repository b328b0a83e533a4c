//! Where an attempt goes: base URL, credentials, model.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, CONTENT_LENGTH, HOST},
};

use super::base;
use crate::{
    ConfigError, Request,
    context::{CREDENTIALS, Call, Route, fingerprint, provider},
    dialect::Ask,
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

    /// The key of this target, sent as `authorization: Bearer …`. A blank one is refused when the ladder is built.
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        // A variable that is not set would else be found out in an outage.
        let value = if key.trim().is_empty() { String::new() } else { format!("Bearer {key}") };
        self.credential(AUTHORIZATION, &value)
    }

    /// A header with a credential of this target, such as `api-key` or `x-api-key`. A blank one is refused when the
    /// ladder is built.
    #[must_use]
    pub fn credential(mut self, name: HeaderName, secret: &str) -> Self {
        let blank = secret.trim().is_empty();
        let value = HeaderValue::from_str(secret).ok().filter(|_| !blank).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self.headers.push((name, value.ok_or(())));
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
    pub(crate) fn apply(&self, mut request: Request, ask: &Ask) -> Request {
        if let Some(base) = self.uri() {
            if base::origin(base) != base::origin(request.uri()) {
                strangers(request.headers_mut());
            }
            request.headers_mut().remove(HOST);
            let uri = base::rebase(base, request.uri());
            *request.uri_mut() = uri;
        } else if !self.headers.is_empty() {
            let uri = base::keyless(request.uri());
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

    /// Whether both have the same route, so that they would share one breaker and one limit.
    pub(crate) fn is_route_of(&self, other: &Self) -> bool {
        let provider = |target: &Self| target.uri().map(|uri| provider(uri).to_ascii_lowercase());
        let credential = match (&self.label, &other.label) {
            (None, None) => self.headers == other.headers,
            (own, others) => own == others,
        };
        credential && provider(self) == provider(other) && self.model == other.model
    }

    /// What tells it from its equals, the same in every process; its credential is none of it.
    pub(crate) fn place(&self) -> (String, Option<Box<str>>, Option<Box<str>>) {
        let base = self.uri().map(Uri::to_string).unwrap_or_default();
        (base, self.model.clone(), self.label.clone())
    }

    pub(crate) fn check(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if let Some(base) = &self.base {
            base::check(base, field("base_url"))?;
        }
        if self.model.as_deref().is_some_and(|model| model.trim().is_empty()) {
            return Err(ConfigError::new(field("model"), "", "a model's name"));
        }
        for (name, value) in &self.headers {
            if value.is_err() {
                let allowed = "a secret, not blank, without line breaks or control characters";
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

/// Takes out everything that speaks for the caller at the host it addressed.
///
/// By the words in their names, as every gateway has a header of its own; one too many does less harm than one too few.
fn strangers(headers: &mut HeaderMap) {
    let personal = |(name, value): &(&HeaderName, &HeaderValue)| {
        value.is_sensitive() || base::is_secret(name.as_str()) || PERSONAL.contains(&name.as_str())
    };
    let names: Vec<_> = headers.iter().filter(personal).map(|(name, _)| name.clone()).collect();
    names.into_iter().for_each(|name| drop(headers.remove(name)));
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
