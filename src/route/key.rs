//! The key of shared state.

use std::{borrow::Cow, fmt, sync::Arc};

use super::name::{escaped, shown};

/// The key of shared state: provider, model, credential and operation. One breaker and one budget per route.
///
/// The credential is a label, or a fingerprint that is new in every process; never the credential itself.
/// [`identity`](crate::identity) determines which credential is billed for a call. The operation is empty for chats. All
/// operations of a provider, model and credential share their limits.
///
/// Each part has at most 145 bytes and no control characters: of a longer part, or one with such characters, the first 128 bytes
/// are kept, escaped, followed by a `~` and a hash of the whole. So a route is safe to log, to show and to keep, whatever model a
/// caller has requested.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// Provider, model and credential in one string, since a route is created for every call.
    text: Arc<str>,
    provider: usize,
    model: usize,
    operation: &'static str,
}

/// Stands for all credentials, or all models.
const ALL: &str = "*";

// === impl Route ===

impl Route {
    /// Routes of at most this many bytes, which nearly all are, are joined on the stack.
    const SHORT: usize = 128;

    /// Creates a route of its three parts. `credential` is a label for people, such as `team-a`: never the secret itself.
    pub fn new(provider: &str, model: &str, credential: &str) -> Self {
        Self::joined([&shown(provider), &shown(model), &shown(credential)])
    }

    /// Creates a route of what a request names. A model `*` in a request is escaped, so that it does not stand for all models.
    pub(crate) fn asked(provider: &str, model: &str, credential: &str) -> Self {
        match model {
            ALL => Self::joined([&shown(provider), &escaped(model), &shown(credential)]),
            _ => Self::new(provider, model, credential),
        }
    }

    /// Joins parts that are safe to show.
    fn joined([provider, model, credential]: [&str; 3]) -> Self {
        let (model_at, credential_at) = (provider.len(), provider.len() + model.len());
        let parts = [provider, model, credential];
        let mut short = [0; Self::SHORT];
        let text = match credential_at + credential.len() {
            size @ ..=Self::SHORT => join(parts, &mut short[..size]).into(),
            _ => parts.concat().into(),
        };
        Self { text, provider: model_at, model: credential_at, operation: "" }
    }

    /// The route of another operation with the same provider, model and credential; empty for chats.
    pub(crate) fn with_operation(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }

    /// The route of chats with the same provider, model and credential: the key of state that all operations share, such as
    /// limits.
    #[must_use]
    pub fn without_operation(&self) -> Self {
        self.clone().with_operation("")
    }

    /// The route of edited requests for the same model: `facet` is appended to the model's name.
    pub(crate) fn with_variant(&self, facet: &str) -> Self {
        let model = [self.model(), facet].concat();
        Self::new(self.provider(), &model, self.credential()).with_operation(self.operation)
    }

    /// The next coarser route: for all credentials of its provider and model; then for all models of the provider; then for all
    /// routes.
    pub(crate) fn coarser(&self) -> Self {
        let coarser = match (self.credential(), self.model()) {
            (ALL, ALL) => Self::joined([ALL; 3]),
            (ALL, _) => Self::joined([self.provider(), ALL, ALL]),
            _ => Self::joined([self.provider(), self.model(), ALL]),
        };
        coarser.with_operation(self.operation)
    }

    /// Whether it stands for several credentials, since there was no room for each.
    pub(crate) fn is_shared(&self) -> bool {
        self.credential() == ALL
    }

    /// Whether it stands for several credentials or for no visible one: a rejection of one does not apply to the next.
    pub(crate) fn is_of_many(&self) -> bool {
        is_of_many(self.credential())
    }

    /// The provider: a name, or the host of its base URL.
    pub fn provider(&self) -> &str {
        &self.text[..self.provider]
    }

    /// The model, or `-` if none is known.
    pub fn model(&self) -> &str {
        &self.text[self.provider..self.model]
    }

    /// The label or fingerprint of the credential, or `-` if there is none.
    pub fn credential(&self) -> &str {
        &self.text[self.model..]
    }

    /// The operation, such as `embeddings` or `files`; empty for chats. An unknown operation is named by its method and path,
    /// without the ids in it.
    pub fn operation(&self) -> &str {
        self.operation
    }
}

/// Joins the parts in a buffer of their total length.
fn join<'a>(parts: [&str; 3], place: &'a mut [u8]) -> &'a str {
    let mut at = 0;
    for part in parts {
        place[at..at + part.len()].copy_from_slice(part.as_bytes());
        at += part.len();
    }
    std::str::from_utf8(place).expect("texts one behind the other are a text")
}

/// Whether a label or a fingerprint stands for many credentials, or for no visible one: a rejection of one does not apply to the
/// next.
pub(crate) fn is_of_many(credential: &str) -> bool {
    credential == "-" || credential == "*" || credential.starts_with('~')
}

/// The host and port of a URI, without a user.
pub(crate) fn provider(uri: &http::Uri) -> Cow<'_, str> {
    match (uri.host(), uri.port_u16()) {
        (Some(host), Some(port)) => format!("{host}:{port}").into(),
        (Some(host), None) => host.into(),
        (None, _) => "local".into(),
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.provider(), self.model(), self.credential())?;
        match self.operation {
            "" => Ok(()),
            operation => write!(f, " ({operation})"),
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_a_star_and_a_tilde_stand_for_many_credentials() {
        assert!(is_of_many("-") && is_of_many("~0123") && is_of_many("*") && !is_of_many("0123"));
    }
}
