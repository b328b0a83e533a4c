//! The headers of an attempt, without its secrets.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock},
};

use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of an attempt. A credential is kept as a hash that is new in every process: whether it was a certain one can be
/// asked, what it was cannot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedHeaders(Arc<[(HeaderName, ReceivedValue)]>);

#[derive(Clone, Debug, PartialEq)]
enum ReceivedValue {
    Plain(HeaderValue),
    /// The hash of a credential.
    Secret(u64),
}

static HASH: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Parts of the names of headers that carry a credential.
const SECRET: [&str; 7] =
    ["authorization", "cookie", "api-key", "apikey", "secret", "token", "signature"];

// === impl ReceivedHeaders ===

impl ReceivedHeaders {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let kept = headers.iter().map(|(name, value)| {
            let secret = SECRET.iter().any(|part| name.as_str().contains(part)) || is_key(name);
            let kept = match secret {
                true => ReceivedValue::Secret(HASH.hash_one(value.as_bytes())),
                false => ReceivedValue::Plain(value.clone()),
            };
            (name.clone(), kept)
        });
        Self(kept.collect())
    }

    /// The names of the headers, in lower case; one that was sent twice is there twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether the header was sent.
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The first value of the header; `None` if there is none, if it is not text, or if it is a credential.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values(name).find_map(|value| match value {
            ReceivedValue::Plain(value) => value.to_str().ok(),
            ReceivedValue::Secret(_) => None,
        })
    }

    /// Whether the header was sent with that value; also for a credential: `is("authorization", "Bearer the-key")`.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.values(name).any(|kept| match kept {
            ReceivedValue::Plain(kept) => kept == value,
            ReceivedValue::Secret(hash) => *hash == HASH.hash_one(value.as_bytes()),
        })
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &ReceivedValue> {
        let same = move |(known, _): &&(HeaderName, ReceivedValue)| {
            known.as_str().eq_ignore_ascii_case(name)
        };
        self.0.iter().filter(same).map(|(_, value)| value)
    }
}

/// Whether a header is a key by its name alone: `x-key`, `ocp-apim-subscription-key`, not `idempotency-key`.
fn is_key(name: &HeaderName) -> bool {
    name.as_str().ends_with("-key") && name.as_str() != "idempotency-key"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_can_be_asked_for_and_not_read() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer SecretMark"),
            ("x-goog-api-key", "SecretMark"),
            ("ocp-apim-subscription-key", "SecretMark"),
            ("cookie", "SecretMark"),
            ("idempotency-key", "once"),
            ("x-tenant", "a"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let received = ReceivedHeaders::of(&headers);
        assert!(!format!("{received:?}").contains("SecretMark"), "{received:?}");
        assert!(received.is("Authorization", "Bearer SecretMark"));
        assert!(received.is("x-goog-api-key", "SecretMark") && !received.is("cookie", "other"));
        assert_eq!((received.get("authorization"), received.has("authorization")), (None, true));
        assert_eq!(
            (received.get("idempotency-key"), received.get("x-tenant")),
            (Some("once"), Some("a"))
        );
        assert_eq!((received.has("x-other"), received.names().count()), (false, 6));
    }
}
