//! Who calls: by which headers and keys of a query that is known.

use std::sync::{Arc, LazyLock};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use super::{names, query::Pair};
use crate::ConfigError;

/// Which headers and keys of a query say who calls, and which go along to another origin.
///
/// # Defaults
///
/// * payers: the headers in which the providers and the gateways before them take a credential, an organisation or a project
///   (`authorization`, `cookie`, `x-api-key`, `api-key`, `x-goog-api-key`, `ocp-apim-subscription-key`, `openai-organization`,
///   `openai-project`, `x-goog-user-project`, `cf-aig-authorization` and the like), and the keys of a query in which a
///   credential travels (`key`, `api_key`, `access_token`, `subscription-key`, `code`, `x-amz-credential` and the like)
/// * users: every header whose name speaks of a secret, a person or an account (`x-forwarded-user`, `x-tenant-id`,
///   `cf-access-jwt-assertion`), and every header whose value is marked as sensitive
/// * no header names the payer in place of its credential
/// * forwarded: `accept…`, `content-…`, `cache-control`, `user-agent`, `anthropic-version`, `anthropic-beta`, `openai-beta`,
///   `traceparent`, `tracestate`, `x-request-id`, `x-client-request-id`, `x-goog-api-client`, `x-stainless-…`; of a query
///   `alt`, `api-version`, `beta`, `stream`, and which part of a list is asked for: `limit`, `order`, `after`, `pageToken` and
///   the like
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

/// The policy of a client, in the extensions of its requests. Without it the usual names count.
#[derive(Clone, Debug)]
pub(crate) struct Known(pub(super) Arc<IdentityPolicy>);

// === impl IdentityPolicy ===

impl IdentityPolicy {
    /// The usual names.
    pub fn new() -> Self {
        Self::default()
    }

    /// A header that says who pays: calls that differ in it have routes of their own, and no answer in common.
    #[must_use]
    pub fn payer(mut self, header: HeaderName) -> Self {
        self.payers.push(header);
        self
    }

    /// A key of a query that says who pays. Case does not matter.
    #[must_use]
    pub fn payer_query(mut self, key: &str) -> Self {
        self.payer_keys.push(key.to_ascii_lowercase().into());
        self
    }

    /// A header that says for whom an answer is: calls that differ in it have no answer in common. Their routes are the same.
    #[must_use]
    pub fn user(mut self, header: HeaderName) -> Self {
        self.users.push(header);
        self
    }

    /// A header that says nothing of who calls, whatever it is called: `x-session-id` where each call has another. Callers who
    /// differ in it alone share routes and stored answers. It does not go along to another origin.
    #[must_use]
    pub fn ignore(mut self, header: HeaderName) -> Self {
        self.ignored.push(header);
        self
    }

    /// A header of yours that names the payer in its routes, in place of its credentials: where each call brings another
    /// credential that nothing can be read from. A call without it goes by its credentials.
    ///
    /// It says nothing in the cache: whoever could send another's name would be given another's answers. There a
    /// [`Tenant`](crate::cache::Tenant) takes the place of a credential.
    #[must_use]
    pub fn named_by(mut self, header: HeaderName) -> Self {
        self.named_by = Some(header);
        self
    }

    /// A header that goes along to another origin. One whose value is marked as sensitive never does.
    #[must_use]
    pub fn forward(mut self, header: HeaderName) -> Self {
        self.forwarded.push(header);
        self
    }

    /// A key of a query that goes along to another origin. Case does not matter.
    #[must_use]
    pub fn forward_query(mut self, key: &str) -> Self {
        self.forwarded_keys.push(key.to_ascii_lowercase().into());
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_keys()?;
        self.check_ignored()?;
        let allowed = "what says nothing of who pays: a credential stays at its origin";
        // One that is ignored is a credential still.
        if let Some(header) = self.forwarded.iter().find(|header| self.is_named_payer(header)) {
            return Err(ConfigError::new("identity.forward", header, allowed));
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

    /// Refuses to ignore what another setting reads.
    fn check_ignored(&self) -> Result<(), ConfigError> {
        let named = self.named_by.as_slice();
        for (setting, headers) in
            [("payer", &*self.payers), ("user", &*self.users), ("named_by", named)]
        {
            if let Some(header) = self.ignored.iter().find(|header| headers.contains(header)) {
                let allowed = format!("a header that is not in identity.{setting} as well");
                return Err(ConfigError::new("identity.ignore", header, allowed));
            }
        }
        Ok(())
    }

    /// What is set for a request: by the layer, or the usual names.
    pub(crate) fn of(extensions: &Extensions) -> &Self {
        static USUAL: LazyLock<IdentityPolicy> = LazyLock::new(IdentityPolicy::default);
        extensions.get::<Known>().map_or(&USUAL, |known| &*known.0)
    }

    /// Whether a header says who pays.
    pub(crate) fn is_payer(&self, header: &HeaderName) -> bool {
        self.is_named_payer(header) && !self.ignored.contains(header)
    }

    /// Whether a header carries a credential or names its owner, ignored or not.
    fn is_named_payer(&self, header: &HeaderName) -> bool {
        names::is_payer(header.as_str()) || self.payers.contains(header)
    }

    /// Whether a key of a query says who pays; as [`Pair::key`] has it.
    pub(crate) fn is_payer_key(&self, key: &str) -> bool {
        names::is_payer_key(key) || self.payer_keys.iter().any(|own| **own == *key)
    }

    /// Whether a header says for whom an answer is: who pays, or who asks.
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

    /// Whether a key of a query carries a secret.
    pub(crate) fn is_secret_key(&self, key: &str) -> bool {
        // A page token is no secret.
        (names::is_secret(key) && !names::is_forwarded_key(key)) || self.is_payer_key(key)
    }

    /// Takes out what is not known to be for every origin.
    pub(crate) fn leave_behind(&self, headers: &mut HeaderMap) {
        let stays = |(header, value): &(&HeaderName, &HeaderValue)| {
            let known = names::is_forwarded(header.as_str()) || self.forwarded.contains(header);
            !known || value.is_sensitive()
        };
        let names: Vec<_> = headers.iter().filter(stays).map(|(name, _)| name.clone()).collect();
        names.into_iter().for_each(|name| drop(headers.remove(name)));
    }

    /// Takes out what says who pays: another payer's takes its place.
    pub(crate) fn take_payers(&self, headers: &mut HeaderMap) {
        let payers = headers.keys().filter(|name| self.is_payer(name));
        let names: Vec<_> = payers.cloned().collect();
        names.into_iter().for_each(|name| drop(headers.remove(name)));
    }

    /// Whether a pair of a query is for every origin.
    pub(crate) fn is_forwarded_pair(&self, pair: Pair<'_>) -> bool {
        let key = pair.key();
        let named = || self.forwarded_keys.iter().any(|own| **own == *key);
        (names::is_forwarded_key(&key) || named()) && !self.is_payer_key(&key)
    }
}
