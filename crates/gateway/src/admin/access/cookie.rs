//! The cookie of the page: the time of the login, signed with the token. Nothing is kept for it.

use std::fmt::Write;

use hmac::Mac;
use http::{HeaderMap, HeaderValue, header};

use super::token::Access;
use crate::admin::unix_time::UnixMillis;

const NAME: &str = "evenkeel-admin";
/// How long a login lasts, in milliseconds: 12 h.
const LASTS: UnixMillis = 12 * 60 * 60 * 1000;

// === impl Access ===

impl Access {
    /// The `set-cookie` header of a login at `now`; `None` without a token.
    pub(super) fn cookie(&self, now: UnixMillis) -> Option<HeaderValue> {
        let hash = self.signature()?.chain_update(now.to_be_bytes()).finalize().into_bytes();
        let mut text = format!("{NAME}={now}.");
        for byte in hash {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        let seconds = LASTS / 1000;
        let _ = write!(text, "; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}");
        HeaderValue::from_str(&text).ok()
    }

    /// Whether a request has the cookie of a login that is still valid at `now`; `None` if it has none.
    pub(super) fn cookie_is_valid(&self, headers: &HeaderMap, now: UnixMillis) -> Option<bool> {
        let value = value_of(headers)?;
        let valid = || {
            let (issued, hash) = value.split_once('.')?;
            let (issued, hash) = (issued.parse::<UnixMillis>().ok()?, bytes_of(hash)?);
            let signature = self.signature()?.chain_update(issued.to_be_bytes());
            signature.verify_slice(&hash).ok()?;
            (now.saturating_sub(issued) < LASTS).then_some(())
        };
        Some(valid().is_some())
    }
}

/// The value of the cookie.
fn value_of(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim() == NAME).map(|(_, value)| value.trim())
}

/// The bytes of a hexadecimal text.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

#[cfg(test)]
mod tests {
    use evenkeel::config::AdminToken;

    use super::*;

    fn access(token: &str) -> Access {
        Access { salt: [7; 8], ..Access::new(AdminToken::new(token).ok()) }
    }

    fn headers(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        headers
    }

    #[test]
    fn a_cookie_is_valid_for_twelve_hours_and_for_its_token_and_its_process_alone() {
        let own = access("0123456789abcdef");
        let set = own.cookie(1_000).unwrap().to_str().unwrap().to_owned();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
        assert!(!set.contains("0123456789abcdef"), "{set}");
        let cookie = set.split(';').next().unwrap();
        let given = headers(&format!("a=b; {cookie}; c=d"));
        assert_eq!(own.cookie_is_valid(&given, 1_000), Some(true));
        assert_eq!(own.cookie_is_valid(&given, 1_000 + LASTS - 1), Some(true));
        assert_eq!(own.cookie_is_valid(&given, 1_000 + LASTS), Some(false));
        assert_eq!(access("another-token-of-16").cookie_is_valid(&given, 1_000), Some(false));
        let next = Access { salt: [8; 8], ..access("0123456789abcdef") };
        assert_eq!(next.cookie_is_valid(&given, 1_000), Some(false));
    }

    #[test]
    fn a_cookie_that_was_changed_is_refused() {
        let own = access("0123456789abcdef");
        let set = own.cookie(1_000).unwrap().to_str().unwrap().to_owned();
        let cookie = set.split(';').next().unwrap();
        let later = cookie.replace("1000.", "9999.");
        for wrong in [&*later, &cookie[..cookie.len() - 2], "evenkeel-admin=", "evenkeel-admin=1.é"]
        {
            let headers = HeaderMap::from_iter([(
                header::COOKIE,
                HeaderValue::from_bytes(wrong.as_bytes()).unwrap(),
            )]);
            assert_ne!(own.cookie_is_valid(&headers, 1_000), Some(true), "{wrong}");
        }
        assert_eq!(own.cookie_is_valid(&HeaderMap::new(), 1_000), None);
    }

    #[test]
    fn the_token_alone_is_the_token() {
        let own = access("0123456789abcdef");
        assert!(own.is_token("0123456789abcdef"));
        for wrong in ["", "0123456789abcdeg", "0123456789abcdef0"] {
            assert!(!own.is_token(wrong));
        }
        assert!(!format!("{own:?}").contains("0123"));
    }
}
