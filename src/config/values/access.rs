//! Hosts, origins, paths and the hashes of tokens.

use super::{Choice, shown, text::FromText};
use crate::context::Priority;

/// A host: a name, `*.` before a name, or `*` for all; with a port or without. Lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct HostPattern(pub(in crate::config) String);

/// The origin of a web page, as browsers send it: lower case, without the default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct WebOrigin(pub(in crate::config) String);

/// A path, in which `*` matches any text without a slash, and a `*` at the end everything below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct PathPattern(pub(in crate::config) String);

/// The SHA-256 of a token.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::config) struct TokenHash(pub(in crate::config) [u8; 32]);

// === impl FromText ===

impl FromText for HostPattern {
    fn from_text(text: &str) -> Result<Self, String> {
        let host = text.to_ascii_lowercase();
        let name = host.strip_prefix("*.").unwrap_or(&host);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:[]".contains(&b);
        if host == "*" || (!name.is_empty() && name.len() <= 255 && name.bytes().all(plain)) {
            return Ok(Self(host));
        }
        Err(format!(
            "is {}; allowed is a host such as gateway.internal, gateway.internal:8080, *.internal, or * for any",
            shown(text)
        ))
    }
}

impl FromText for WebOrigin {
    fn from_text(text: &str) -> Result<Self, String> {
        let allowed = "allowed is the origin of a web page, such as https://chat.example.com";
        let origin = text.to_ascii_lowercase();
        let (scheme, host) = origin.split_once("://").unwrap_or_default();
        let schemed = scheme.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:[]".contains(&b);
        if !schemed || host.is_empty() || !host.bytes().all(plain) {
            let any = "every web page would be allowed";
            let why =
                if matches!(text, "*" | "null") { format!(", and {any}") } else { String::new() };
            return Err(format!("is {}{why}; {allowed}", shown(text)));
        }
        let port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        let host = host.strip_suffix(port).unwrap_or(host);
        Ok(Self(format!("{scheme}://{host}")))
    }
}

impl FromText for PathPattern {
    fn from_text(text: &str) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_graphic() && !b"\\?#".contains(&b);
        let dots = |segment: &str| segment == "." || segment == "..";
        let odd = text.contains("//") || text.split('/').any(dots);
        if text.starts_with('/') && text.len() <= 1024 && text.bytes().all(plain) && !odd {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "is {}; allowed is a path such as /v1/files/*, without dot segments, double slashes and a query",
            shown(text)
        ))
    }
}

impl FromText for TokenHash {
    fn from_text(text: &str) -> Result<Self, String> {
        let mut hash = [0; 32];
        let digits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let allowed = "allowed is the SHA-256 of the token, as 64 hexadecimal digits";
        for (at, byte) in hash.iter_mut().enumerate() {
            let pair = text.get(2 * at..2 * at + 2).filter(|_| digits);
            let parsed = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            // The text may be the token itself.
            *byte = parsed.ok_or_else(|| format!("is no hash, and not shown; {allowed}"))?;
        }
        Ok(Self(hash))
    }
}

impl Choice for Priority {
    fn choices() -> Vec<(&'static str, Self)> {
        vec![("interactive", Self::Interactive), ("batch", Self::Batch)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_that_of_a_page_as_browsers_send_it() {
        let origin = |text| WebOrigin::from_text(text).map(|origin| origin.0);
        assert_eq!(origin("https://Chat.Example.com:443").unwrap(), "https://chat.example.com");
        assert_eq!(origin("http://localhost:3000").unwrap(), "http://localhost:3000");
        assert_eq!(origin("http://[::1]:80").unwrap(), "http://[::1]");
        assert_eq!(origin("app://obsidian.md").unwrap(), "app://obsidian.md");
        for text in
            ["*", "null", "", "chat.example.com", "https://", "https://a/", "https://a b", "://a"]
        {
            origin(text).unwrap_err();
        }
    }

    #[test]
    fn a_host_has_no_scheme_and_no_path() {
        for text in ["a", "a.example:8080", "*.example", "*", "[::1]:80", "My_Host"] {
            HostPattern::from_text(text).unwrap();
        }
        for text in ["", "*.", "http://a", "a/b", "a b", "*a", "u@a", "a,b"] {
            HostPattern::from_text(text).unwrap_err();
        }
    }

    #[test]
    fn a_path_is_one_that_can_be_requested() {
        for text in ["/v1/files/*", "/", "/*", "/v1/*/content"] {
            PathPattern::from_text(text).unwrap();
        }
        for text in ["", "v1", "/a/../b", "/./a", "//a", "/a\\b", "/a?b", "/a b", "/é"] {
            PathPattern::from_text(text).unwrap_err();
        }
    }

    #[test]
    fn a_hash_has_64_digits_and_a_token_in_its_place_is_not_shown() {
        let hash = TokenHash::from_text(&"0aF".repeat(22)[..64]).unwrap();
        assert_eq!(hash.0[..3], [0x0a, 0xf0, 0xaf]);
        for text in ["", "sk-secret", &"g".repeat(64), &"é".repeat(32), &"a".repeat(63)] {
            let error = TokenHash::from_text(text).err().unwrap();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }
}
