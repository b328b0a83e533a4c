//! Credentials: the headers of an attempt, and how long they are valid.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::failure::CredentialError;
use crate::telemetry::CredentialFailure;

/// The headers that authorize an attempt, and how long they are valid. Returned by a
/// [`CredentialSource`](super::CredentialSource) or a [`RequestSigner`](super::RequestSigner).
///
/// At most 32 headers with 64 KiB in all. A header that belongs to the transport or describes the body (`host`, `connection`,
/// `content-length`, `content-type`, `content-encoding`, `transfer-encoding` and the like), a blank value, and one with line
/// breaks or control characters make the credentials invalid: the fetch counts as failed.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::credentials::Credentials;
///
/// let credentials = Credentials::bearer("the token").expires_in(Duration::from_secs(3600));
/// assert!(!format!("{credentials:?}").contains("the token"));
/// ```
#[derive(Clone, Default)]
pub struct Credentials {
    headers: Vec<(HeaderName, HeaderValue)>,
    lifetime: Option<Duration>,
    invalid: Option<&'static str>,
}

/// Valid headers of credentials. Clones share them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CredentialHeaders(Arc<[(HeaderName, HeaderValue)]>);

/// The headers that a source may not set: the transport sets them, or they describe the body.
const FOREIGN: [HeaderName; 14] = [
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::ACCEPT_ENCODING,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// The most headers, and the most bytes of their names and values.
const MAX_HEADERS: usize = 32;
const MAX_BYTES: usize = 64 * 1024;

// === impl Credentials ===

impl Credentials {
    /// Creates credentials without a header. Without at least one they are invalid.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token, sent as `authorization: Bearer …`.
    pub fn bearer(token: &str) -> Self {
        let token = token.trim();
        let value = if token.is_empty() { String::new() } else { format!("Bearer {token}") };
        Self::new().header(header::AUTHORIZATION, &value)
    }

    /// Sets a header, such as `authorization`, `x-api-key` or `x-amz-date`. It replaces one of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if FOREIGN.contains(&name) {
            self.invalid = Some("it has a header that belongs to the transport or the body");
            return self;
        }
        match HeaderValue::from_str(value) {
            Ok(mut value) if !value.as_bytes().trim_ascii().is_empty() => {
                value.set_sensitive(true);
                self.headers.retain(|(known, _)| *known != name);
                self.headers.push((name, value));
            }
            _ => self.invalid = Some("it has a header that is blank or cannot be sent"),
        }
        self
    }

    /// Sets how long they are valid from now on, as in the field `expires_in` of OAuth. By default they are valid until they are
    /// rejected.
    ///
    /// Prefer it to [`expires_at`](Self::expires_at): it does not depend on the clock of this machine.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets when they expire. If that is in the past, since the clock of this machine is wrong, they are used until they are
    /// fetched again: see [`CredentialPolicy::min_refresh_interval`](super::CredentialPolicy::min_refresh_interval).
    #[must_use]
    pub fn expires_at(self, end: SystemTime) -> Self {
        self.expires_in(end.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// The headers and the lifetime, if they are valid.
    pub(super) fn check(self) -> Result<(CredentialHeaders, Option<Duration>), CredentialError> {
        let size = |(name, value): &(HeaderName, HeaderValue)| name.as_str().len() + value.len();
        let bytes: usize = self.headers.iter().map(size).sum();
        let invalid = match self.headers.len() {
            _ if self.invalid.is_some() => self.invalid,
            0 => Some("it has no header"),
            count if count > MAX_HEADERS || bytes > MAX_BYTES => Some("its headers are too large"),
            _ => None,
        };
        match invalid {
            Some(why) => Err(CredentialError::new(CredentialFailure::Invalid).because(why)),
            None => Ok((CredentialHeaders(self.headers.into()), self.lifetime)),
        }
    }
}

impl fmt::Debug for Credentials {
    /// The values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Credentials")
            .field("headers", &names)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

// === impl CredentialHeaders ===

impl CredentialHeaders {
    /// Sets them in a request, in place of those of the same names.
    pub(crate) fn set(&self, headers: &mut HeaderMap) {
        for (name, value) in &*self.0 {
            headers.insert(name.clone(), value.clone());
        }
    }
}

impl fmt::Debug for CredentialHeaders {
    /// The values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name.as_str())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(credentials: Credentials) -> Option<CredentialFailure> {
        credentials.check().err().map(|error| error.why())
    }

    #[test]
    fn headers_of_the_transport_and_values_that_cannot_be_sent_are_invalid() {
        let name = HeaderName::from_static;
        let invalid = Some(CredentialFailure::Invalid);
        for foreign in ["host", "content-length", "transfer-encoding", "content-type"] {
            assert_eq!(why(Credentials::bearer("k").header(name(foreign), "1")), invalid);
        }
        for value in ["", " ", "a\nb", "a\0"] {
            assert_eq!(why(Credentials::bearer("k").header(name("x-key"), value)), invalid);
        }
        assert_eq!(why(Credentials::bearer(" \n")), invalid);
        assert_eq!(why(Credentials::new()), invalid);
        let many = (0..=MAX_HEADERS).map(|n| HeaderName::try_from(format!("x-{n}")).unwrap());
        let many = many.fold(Credentials::new(), |all, name| all.header(name, "v"));
        assert_eq!(why(many), invalid);
        let long = Credentials::bearer(&"k".repeat(MAX_BYTES));
        assert_eq!(why(long), invalid);
        assert_eq!(why(Credentials::bearer("k\n")), None, "a line break at the end of a file");
    }

    #[test]
    fn a_header_that_is_set_twice_is_sent_once() {
        let credentials = Credentials::bearer("one").header(header::AUTHORIZATION, "two");
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("the caller's"));
        credentials.check().unwrap().0.set(&mut headers);
        assert_eq!(headers.get_all(header::AUTHORIZATION).iter().collect::<Vec<_>>(), ["two"]);
        assert!(headers[header::AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn an_end_in_the_past_is_a_lifetime_of_zero() {
        let past = Credentials::bearer("k").expires_at(SystemTime::UNIX_EPOCH);
        assert_eq!(past.check().unwrap().1, Some(Duration::ZERO));
    }
}
