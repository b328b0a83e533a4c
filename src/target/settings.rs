//! The settings of a target: base URL, credentials, model.

use std::{fmt, sync::Arc};

use http::{HeaderName, HeaderValue, Uri, header::AUTHORIZATION};

use super::{
    credential_fault::CredentialFault,
    credentials::{CredentialPolicy, RequestSigner},
};
use crate::{
    compatibility::Compatibility,
    dialect::Dialect,
    provenance::ForeignReasoning,
    route::{ProviderName, provider},
};

/// The destination of an attempt: base URL, credentials and model. What is not set stays as the caller sent it.
#[derive(Clone)]
pub struct Target {
    pub(super) base: Option<Result<Uri, String>>,
    pub(super) headers: Vec<(HeaderName, Result<HeaderValue, CredentialFault>)>,
    pub(super) model: Option<Box<str>>,
    pub(super) label: Option<Box<str>>,
    pub(super) dialect: Option<Dialect>,
    pub(super) endpoint: Option<Box<str>>,
    pub(super) account: Option<Box<str>>,
    pub(super) provider: Option<Arc<str>>,
    pub(super) idempotent: bool,
    pub(super) foreign_reasoning: ForeignReasoning,
    pub(super) compatibility: Option<Compatibility>,
    pub(super) credentials: Option<CredentialPolicy>,
}

// === impl Target ===

impl Target {
    /// Sets the base URL, including the path of its API: `https://api.example.com/v1`.
    ///
    /// The path of a request is appended to it: the whole path if the base has none, else the part after the caller's own version
    /// (`/v1`), so `…/v1/chat/completions` becomes `https://api.example.com/v1/chat/completions`.
    pub fn new(base: impl AsRef<str>) -> Self {
        let base = base.as_ref();
        // A URI would lose its fragment silently.
        let uri = if base.contains('#') {
            Err(base.into())
        } else {
            base.parse().map_err(|_| base.into())
        };
        Self { base: Some(uri), ..Self::same_host() }
    }

    /// Keeps the host that the caller addressed: for another model or key there.
    pub fn same_host() -> Self {
        Self {
            base: None,
            headers: Vec::new(),
            model: None,
            label: None,
            dialect: None,
            endpoint: None,
            account: None,
            provider: None,
            idempotent: false,
            foreign_reasoning: ForeignReasoning::Remove,
            compatibility: None,
            credentials: None,
        }
    }

    /// Sets the model.
    #[must_use]
    pub fn model(mut self, model: &str) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets the key of this target, sent as `authorization: Bearer …`.
    ///
    /// A key that cannot work is rejected when the layer is built: a blank one, one with a line break, with quotes or spaces around
    /// it, with its own `Bearer `, or the name of a variable (`$NAME`).
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        // Else an environment variable that is not set would be noticed only during an outage.
        let fault = CredentialFault::of_bearer(key);
        self.header(AUTHORIZATION, &format!("Bearer {key}"), fault)
    }

    /// Sets a header with a credential of this target, such as `api-key` or `x-api-key`. A value that cannot work is rejected when
    /// the layer is built, as for [`bearer`](Self::bearer), and so is a header that belongs to the transport, such as `host`.
    #[must_use]
    pub fn credential(self, name: HeaderName, secret: &str) -> Self {
        self.header(name, secret, CredentialFault::of(secret))
    }

    fn header(mut self, name: HeaderName, value: &str, fault: Option<CredentialFault>) -> Self {
        let value = fault.map_or_else(
            || HeaderValue::from_str(value).map_err(|_| CredentialFault::Unprintable),
            Err,
        );
        let value = value.map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self.headers.push((name, value));
        self
    }

    /// Sets a source of credentials that expire, such as OAuth tokens: a [`CredentialSource`], a closure, or a [`CredentialPolicy`]
    /// to share it between targets or to change its settings. See [`credentials`](crate::credentials).
    ///
    /// Its headers replace those that the caller has sent, and those of [`bearer`](Self::bearer) and
    /// [`credential`](Self::credential) with the same name. They are sent to the host of this target only, by the
    /// [layer](crate::credentials::CredentialLayer) of a [`Client`](crate::Client).
    ///
    /// [`CredentialSource`]: crate::credentials::CredentialSource
    #[must_use]
    pub fn credentials(mut self, source: impl Into<CredentialPolicy>) -> Self {
        self.credentials = Some(source.into());
        self
    }

    /// Signs each attempt anew, such as AWS Signature Version 4 does: [`credentials`](Self::credentials) with
    /// [`CredentialPolicy::signer`].
    #[must_use]
    pub fn signer(self, signer: impl RequestSigner) -> Self {
        self.credentials(CredentialPolicy::signer(signer))
    }

    /// Names the credential in routes and events, such as `team-a`; by default a fingerprint that is new in every process. A name
    /// that stands for many credentials (`*`, or one that begins with `~`), or for none (`-`), is rejected when the layer is
    /// built.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Declares the dialect that this target speaks, if its path does not show it, such as `/custom/complete`: by default the
    /// dialect [follows from the path](crate::dialect).
    ///
    /// Requests to this target are parsed and rewritten in this dialect, and its answers are parsed in it. Nothing is translated,
    /// so fallbacks below answer in it as well, canned replies included. A [`Dialect`] in the extensions of a request overrides
    /// it for that call; paths of other known operations (embeddings, pictures, files) are passed through as usual.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// The path of this target, appended to its base, if it is not the usual one of its dialect: `/custom/complete`. By default a
    /// request keeps the end of its path (see [`new`](Self::new)). A request with an unusual path is sent to the usual path of
    /// its dialect, unless the target [declares](Self::dialect) that dialect.
    ///
    /// Not for Gemini, whose paths name the model. Requests without a known dialect keep their path.
    #[must_use]
    pub fn endpoint(mut self, path: &str) -> Self {
        self.endpoint = Some(path.into());
        self
    }

    /// What this target gets of the reasoning that another provider has made; [`ForeignReasoning::Remove`] by default. See
    /// [`reasoning`](crate::reasoning).
    #[must_use]
    pub fn foreign_reasoning(mut self, foreign: ForeignReasoning) -> Self {
        self.foreign_reasoning = foreign;
        self
    }

    /// What this target accepts of the fields of its dialect. By default it is guessed by host and model at a fallback, and a call's
    /// own first target gets the request as it came. See [`amend`](crate::amend).
    #[must_use]
    pub fn compatibility(mut self, compatibility: Compatibility) -> Self {
        self.compatibility = Some(compatibility);
        self
    }

    /// Names the provider in spans and events, such as `openrouter` or `vllm`; not in routes. The hosts of large providers have
    /// [well-known names](crate::telemetry::ProviderName), which are used instead; any other target is named by its dialect
    /// unless this is set.
    #[must_use]
    pub fn provider(mut self, name: &str) -> Self {
        self.provider = Some(ProviderName::given(name));
        self
    }

    /// Its base URL, if it sets a valid one.
    pub fn base_url(&self) -> Option<&Uri> {
        self.uri()
    }

    /// The model that it sets.
    pub fn model_name(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The dialect that it [declares](Self::dialect).
    pub fn declared_dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    pub(crate) fn spoken(&self) -> Option<Dialect> {
        self.dialect
    }

    pub(crate) fn name(&self) -> String {
        let host = self.uri().and_then(Uri::host);
        self.model.as_deref().or(host).unwrap_or("target").to_owned()
    }

    /// Whether its base URL is `https://…`.
    #[cfg(feature = "reqwest")]
    pub(crate) fn needs_tls(&self) -> bool {
        self.uri().and_then(Uri::scheme_str) == Some("https")
    }

    pub(super) fn uri(&self) -> Option<&Uri> {
        self.base.as_ref().and_then(|base| base.as_ref().ok())
    }

    /// Whether both have the same route, and so would share one breaker and one limit.
    pub(crate) fn is_route_of(&self, other: &Self) -> bool {
        let provider = |target: &Self| target.uri().map(|uri| provider(uri).to_ascii_lowercase());
        let credential = match (&self.label, &other.label) {
            (None, None) => self.has_credential_of(other),
            (own, others) => own == others,
        };
        credential && provider(self) == provider(other) && self.model == other.model
    }

    /// Whether both send the same request: the same route, path and dialect, and the same fields.
    pub(crate) fn is_request_of(&self, other: &Self) -> bool {
        let path =
            |target: &Self| target.uri().map(|uri| uri.path().trim_end_matches('/').to_owned());
        self.is_route_of(other)
            && path(self) == path(other)
            && self.endpoint == other.endpoint
            && self.dialect == other.dialect
            && self.compatibility == other.compatibility
            && self.foreign_reasoning == other.foreign_reasoning
    }

    /// Whether both send the same credential.
    pub(super) fn has_credential_of(&self, other: &Self) -> bool {
        self.headers == other.headers && self.credentials == other.credentials
    }

    /// Whether it replaces the credential of the caller.
    pub(super) fn has_credential(&self) -> bool {
        !self.headers.is_empty() || self.credentials.is_some()
    }

    /// What distinguishes it from its equals, the same in every process; without its credential.
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
            .field("credentials", &(self.headers.len() + usize::from(self.credentials.is_some())))
            .field("label", &self.label)
            .field("dialect", &self.dialect)
            .field("endpoint", &self.endpoint)
            .finish()
    }
}
