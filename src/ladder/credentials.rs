//! What speaks for a caller at one host, and must not reach another.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers that speak for the caller at one host, and must not reach another.
const PERSONAL: [&str; 4] =
    ["openai-organization", "openai-project", "anthropic-workspace-id", "x-goog-user-project"];

/// Takes out everything that speaks for the caller at the host it addressed.
///
/// By the words in their names, as every gateway has a header of its own; one too many does less harm than one too few.
pub(super) fn strangers(headers: &mut HeaderMap) {
    let personal = |(name, value): &(&HeaderName, &HeaderValue)| speaks_for_the_caller(name, value);
    let names: Vec<_> = headers.iter().filter(personal).map(|(name, _)| name.clone()).collect();
    names.into_iter().for_each(|name| drop(headers.remove(name)));
}

/// Whether a header carries a credential, a cookie or an organisation.
pub(crate) fn speaks_for_the_caller(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || is_secret(name.as_str()) || PERSONAL.contains(&name.as_str())
}

/// Whether a name is that of a header, or of a part of a query, that carries a credential.
pub(crate) fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 8] =
        ["auth", "key", "token", "secret", "cookie", "session", "sig", "credential"];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}
