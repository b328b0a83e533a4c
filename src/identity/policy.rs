//! The headers and query keys that identify a caller.

use std::sync::{Arc, LazyLock};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use super::{names, query::Pair};
use crate::ConfigError;

/// Configures which headers and query keys identify a caller, and which are forwarded to another origin.
///
/// # Defaults
///
/// * payers: the headers in which providers and gateways expect a credential, an organisation or a project (`authorization`,
///   `cookie`, `x-api-key`, `api-key`, `x-goog-api-key`, `ocp-apim-subscription-key`, `openai-organization`, `openai-project`,
///   `x-goog-user-project`, `cf-aig-authorization` and the like), and the query keys that carry a credential (`key`, `api_key`,
///   `access_token`, `subscription-key`, `code`, `x-amz-credential` and the like)
/// * users: every header whose name suggests a secret, a person or an account (`x-forwarded-user`, `x-tenant-id`,
///   `cf-access-jwt-assertion`), and every header whose value is marked as sensitive
/// * `named_by`: none
/// * forwarded: `accept…`, `content-…`, `cache-control`, `user-agent`, `anthropic-version`, `anthropic-beta`, `openai-beta`,
///   `traceparent`, `tracestate`, `x-request-id`, `x-client-request-id`, `x-goog-api-client`, `x-stainless-…`; of a query `alt`,
///   `api-version`, `beta`, `stream`, and pagination: `limit`, `order`, `after`, `pageToken` and the like
#[derive(Clone, Debug, Default)]
pub struct IdentityPolicy {
    payers: Vec<HeaderName>,
    payer_keys: Vec<Box<str>>,
    users: Vec<HeaderName>,
    ignored: Vec<HeaderName>,
    pub(super) named_by: Option<HeaderName>,
    forwarded: Vec<HeaderName>,
    forwarded_keys: Vec<Box<str>>,
}

/// The policy of a client, in the extensions of its requests. Without it the default names apply.
#[derive(Clone, Debug)]
pub(crate) struct Known(pub(super) Arc<IdentityPolicy>);

// === impl IdentityPolicy ===

impl IdentityPolicy {
    /// Creates a policy with the default names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header that names the payer: calls that differ in it have different routes, and share no answers.
    #[must_use]
    pub fn payer(mut self, header: HeaderName) -> Self {
        self.payers.push(header);
        self
    }

    /// Adds a query key that names the payer. Case does not matter.
    #[must_use]
    pub fn payer_query(mut self, key: &str) -> Self {
        self.payer_keys.push(key.to_ascii_lowercase().into());
        self
    }

    /// Adds a header that names the user of an answer: calls that differ in it share no answers. Their routes are the same.
    #[must_use]
    pub fn user(mut self, header: HeaderName) -> Self {
        self.users.push(header);
        self
    }

    /// Adds a header that does not identify the caller, whatever its name: for example an `x-session-id` that is new for each
    /// call. Callers who differ only in it share routes and stored answers. It is not forwarded to another origin.
    #[must_use]
    pub fn ignore(mut self, header: HeaderName) -> Self {
        self.ignored.push(header);
        self
    }

    /// Sets a custom header that names the payer in its routes, in place of its credentials: for credentials that change with
    /// each call and have no readable part. A call without the header uses its credentials.
    ///
    /// The cache ignores it: else a caller who sends another's name would get the other's answers. Use a
    /// [`Tenant`](crate::cache::Tenant) to replace the credential there.
    #[must_use]
    pub fn named_by(mut self, header: HeaderName) -> Self {
        self.named_by = Some(header);
        self
    }

    /// Adds a header that is forwarded to another origin. A header whose value is marked as sensitive never is.
    #[must_use]
    pub fn forward(mut self, header: HeaderName) -> Self {
        self.forwarded.push(header);
        self
    }

    /// Adds a query key that is forwarded to another origin. Case does not matter.
    #[must_use]
    pub fn forward_query(mut self, key: &str) -> Self {
        self.forwarded_keys.push(key.to_ascii_lowercase().into());
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_keys()?;
        self.check_ignored()?;
        let allowed =
            "a header or key that does not identify the payer: a credential stays at its origin";
        // An ignored header may still carry a credential.
        if let Some(header) = self.forwarded.iter().find(|header| self.is_named_payer(header)) {
            return Err(ConfigError::new("identity.forward", header.as_str(), allowed));
        }
        if let Some(key) = self.forwarded_keys.iter().find(|key| self.is_payer_key(key)) {
            return Err(ConfigError::new("identity.forward_query", key, allowed));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), ConfigError> {
        let lists = [
            ("identity.payer_query", &self.payer_keys),
            ("identity.forward_query", &self.forwarded_keys),
        ];
        for (field, keys) in lists {
            if let Some(key) = keys.iter().find(|key| key.trim().is_empty()) {
                return Err(ConfigError::new(field, key, "the key of a query, such as api_key"));
            }
        }
        Ok(())
    }

    /// Rejects ignored headers that another setting reads.
    fn check_ignored(&self) -> Result<(), ConfigError> {
        let named = self.named_by.as_slice();
        for (setting, headers) in
            [("payer", &*self.payers), ("user", &*self.users), ("named_by", named)]
        {
            if let Some(header) = self.ignored.iter().find(|header| headers.contains(header)) {
                let allowed = format!("a header that is not in identity.{setting} as well");
                return Err(ConfigError::new("identity.ignore", header.as_str(), allowed));
            }
        }
        Ok(())
    }

    /// The policy of a request: set by the layer, or the default.
    pub(crate) fn of(extensions: &Extensions) -> &Self {
        static USUAL: LazyLock<IdentityPolicy> = LazyLock::new(IdentityPolicy::default);
        extensions.get::<Known>().map_or(&USUAL, |known| &*known.0)
    }

    /// Whether a header names the payer.
    pub(crate) fn is_payer(&self, header: &HeaderName) -> bool {
        self.is_named_payer(header) && !self.ignored.contains(header)
    }

    /// Whether a header carries a credential or names its owner, ignored or not.
    fn is_named_payer(&self, header: &HeaderName) -> bool {
        names::is_payer(header.as_str()) || self.payers.contains(header)
    }

    /// Whether a query key, as returned by [`Pair::key`], names the payer.
    pub(crate) fn is_payer_key(&self, key: &str) -> bool {
        names::is_payer_key(key) || self.payer_keys.iter().any(|own| **own == *key)
    }

    /// Whether a header identifies who the answer is for: the payer or the user.
    pub(crate) fn is_personal(&self, header: &HeaderName, value: &HeaderValue) -> bool {
        if self.ignored.contains(header) {
            return false;
        }
        let named = self.payers.contains(header) || self.users.contains(header);
        named
            || value.is_sensitive()
            || names::is_personal(header.as_str())
            || self.is_payer(header)
    }

    /// Whether a query key carries a secret.
    pub(crate) fn is_secret_key(&self, key: &str) -> bool {
        // A page token is not a secret.
        (names::is_secret(key) && !names::is_forwarded_key(key)) || self.is_payer_key(key)
    }

    /// Removes the headers that are not known to be meant for every origin.
    pub(crate) fn leave_behind(&self, headers: &mut HeaderMap) {
        let stays = |(header, value): &(&HeaderName, &HeaderValue)| {
            let known = names::is_forwarded(header.as_str()) || self.forwarded.contains(header);
            !known || value.is_sensitive()
        };
        let names: Vec<_> = headers.iter().filter(stays).map(|(name, _)| name.clone()).collect();
        names.into_iter().for_each(|name| drop(headers.remove(name)));
    }

    /// Removes the headers that name the payer, ignored or not, and those of its signature, since another payer's replace them.
    pub(crate) fn take_payers(&self, headers: &mut HeaderMap) {
        let signed = |name: &HeaderName| names::is_of_a_signature(name.as_str());
        let payers = headers.keys().filter(|name| self.is_named_payer(name) || signed(name));
        let names: Vec<_> = payers.cloned().collect();
        names.into_iter().for_each(|name| drop(headers.remove(name)));
    }

    /// Whether a pair of a query is meant for every origin.
    pub(crate) fn is_forwarded_pair(&self, pair: Pair<'_>) -> bool {
        let key = pair.key();
        let named = || self.forwarded_keys.iter().any(|own| **own == *key);
        (names::is_forwarded_key(&key) || named()) && !self.is_payer_key(&key)
    }
}
