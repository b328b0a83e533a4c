//! Where an attempt goes: base URL, credentials, model.

use std::fmt;

use http::{HeaderName, HeaderValue, Uri, header::AUTHORIZATION};

use crate::{dialect::Dialect, route::provider};

/// Where an attempt goes: base URL, credentials and model. What is not set stays as the caller sent it.
#[derive(Clone)]
pub struct Target {
    pub(super) base: Option<Result<Uri, String>>,
    pub(super) headers: Vec<(HeaderName, Result<HeaderValue, ()>)>,
    pub(super) model: Option<Box<str>>,
    pub(super) label: Option<Box<str>>,
    pub(super) dialect: Option<Dialect>,
    pub(super) endpoint: Option<Box<str>>,
    pub(super) account: Option<Box<str>>,
    pub(super) idempotent: bool,
}

// === impl Target ===

impl Target {
    /// Another base URL, with the path that its API stands under: `https://api.example.com/v1`.
    ///
    /// The path of a request goes on behind it: all of it for a base without a path, else the part after the caller's
    /// own version (`/v1`), so `…/v1/chat/completions` becomes `https://api.example.com/v1/chat/completions`.
    pub fn new(base: impl AsRef<str>) -> Self {
        let base = base.as_ref();
        Self { base: Some(base.parse().map_err(|_| base.into())), ..Self::same_host() }
    }

    /// The host that the caller addressed: for another model or key there.
    pub fn same_host() -> Self {
        Self {
            base: None,
            headers: Vec::new(),
            model: None,
            label: None,
            dialect: None,
            endpoint: None,
            account: None,
            idempotent: false,
        }
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
    /// process. One that stands for many credentials (`*`, or one that begins with `~`), or for none (`-`), is refused when
    /// the ladder is built.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The dialect that this target speaks, where its path does not tell, such as `/custom/complete`: by default it is
    /// [told by the path](crate::dialect).
    ///
    /// It is what requests to this target are read in, rewritten in, and what its answers are read in. Nothing is
    /// translated, so a call that goes down from here is answered in it as well, by a canned reply too. A [`Dialect`] in
    /// the extensions of a request holds before it, for that call; paths that are known to ask for something else
    /// (embeddings, pictures, files) are passed through as ever.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// The path at which this target answers, behind that of its base, where it is not the one of its dialect:
    /// `/custom/complete`. By default a request keeps the end of its path (see [`new`](Self::new)); one that came to an
    /// unusual path goes to the usual one of its dialect, unless the target says that it [speaks](Self::dialect) it there.
    ///
    /// Not for Gemini, whose paths name the model. Requests without a known dialect keep their path.
    #[must_use]
    pub fn endpoint(mut self, path: &str) -> Self {
        self.endpoint = Some(path.into());
        self
    }

    pub(crate) fn spoken(&self) -> Option<Dialect> {
        self.dialect
    }

    pub(crate) fn name(&self) -> String {
        let host = self.uri().and_then(Uri::host);
        self.model.as_deref().or(host).unwrap_or("target").to_owned()
    }

    pub(super) fn uri(&self) -> Option<&Uri> {
        self.base.as_ref().and_then(|base| base.as_ref().ok())
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
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("base", &self.uri().map(|uri| (uri.host(), uri.port_u16(), uri.path())))
            .field("model", &self.model)
            .field("credentials", &self.headers.len())
            .field("label", &self.label)
            .field("dialect", &self.dialect)
            .field("endpoint", &self.endpoint)
            .finish()
    }
}
