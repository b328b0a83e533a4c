//! The stable part of a credential that is new for each call.

use std::hash::{Hash, Hasher};

use serde_json::{Map, Value};

/// Claims of a token that identify its owner, and stay the same from one token to the next.
const STABLE: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "client_id",
    "appid",
    "oid",
    "tid",
    "org_id",
    "account_id",
    "project_id",
    "api_key",
    "email",
    "scope_id",
];

/// The claims of which at least one is needed to identify an owner.
const NAMING: [&str; 8] = ["iss", "sub", "azp", "client_id", "appid", "oid", "api_key", "email"];

/// The maximum length of a token that is parsed, in bytes.
const LONGEST: usize = 16 * 1024;

/// The part of a credential that was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The whole: another credential is another payer.
    Whole,
    /// The stable part: one payer has many credentials.
    Stable,
}

/// Hashes the part of a credential that names the payer: of a signature the access key and its scope, of a token its stable
/// claims, of anything else the whole.
pub(super) fn take(credential: &[u8], hasher: &mut impl Hasher) -> Taken {
    if credential.len() <= LONGEST {
        if let Some(scope) = scope(credential) {
            scope.for_each(|part| part.hash(hasher));
            return Taken::Stable;
        }
        if let Some(claims) = claims(credential) {
            for name in STABLE {
                if let Some(value) = claims.get(name) {
                    (name, value.to_string()).hash(hasher);
                }
            }
            return Taken::Stable;
        }
    }
    credential.hash(hasher);
    Taken::Whole
}

/// The access key of a signature and its scope, without the day: `AWS4-HMAC-SHA256 Credential=KEY/DAY/REGION/…`. Also without
/// that prefix, as in a query: `KEY/DAY/REGION/SERVICE/aws4_request`.
fn scope(credential: &[u8]) -> Option<impl Iterator<Item = &str>> {
    // A quick check, since most credentials are not signatures.
    let signed = memchr::memchr(b'=', credential).is_some() || credential.ends_with(b"4_request");
    let text = signed.then(|| std::str::from_utf8(credential).ok())??;
    let scope = match text.split_once("Credential=") {
        Some((_, scope)) if text.contains("Signature=") => scope.split([',', ' ']).next()?,
        _ if text.ends_with("4_request") && !text.contains([',', ' ']) => text,
        _ => return None,
    };
    let is_day = |part: &&str| part.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    Some(scope.split('/').filter(move |part| !is_day(part)))
}

/// The claims of a JSON web token, if they identify an owner. The signature is not verified here; the provider does that.
fn claims(credential: &[u8]) -> Option<Map<String, Value>> {
    let token = credential.rsplit(|byte| *byte == b' ').next()?;
    // Every base64-encoded JSON object begins like this.
    if !token.starts_with(b"eyJ") {
        return None;
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims: Map<String, Value> = serde_json::from_slice(&base64url(payload)?).ok()?;
    NAMING.iter().any(|name| claims.contains_key(*name)).then_some(claims)
}

/// Decodes base64 as tokens use it: `-` and `_`, no padding.
fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        (bits, held) = ((bits << 6) | u32::from(value), held + 6);
        if held >= 8 {
            held -= 8;
            // The upper bits were pushed before.
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use super::*;

    fn of(credential: &str) -> (u64, Taken) {
        let mut hasher = DefaultHasher::new();
        let taken = take(credential.as_bytes(), &mut hasher);
        (hasher.finish(), taken)
    }

    /// A token of `{"alg":"HS256"}` and the claims, with any signature.
    fn token(claims: &str, signature: &str) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::new();
        for chunk in claims.as_bytes().chunks(3) {
            let byte = |at| u32::from(chunk.get(at).copied().unwrap_or(0));
            let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
            for at in 0..=chunk.len() {
                text.push(DIGITS[((bits >> (18 - 6 * at)) & 63) as usize].into());
            }
        }
        format!("Bearer eyJhbGciOiJIUzI1NiJ9.{text}.{signature}")
    }

    #[test]
    fn a_token_is_known_by_who_it_is_for() {
        let one = of(&token(r#"{"iss":"i","sub":"a","aud":["x"],"exp":1,"iat":0,"jti":"1"}"#, "s"));
        let next = of(&token(r#"{"jti":"2","sub":"a","exp":9,"aud":["x"],"iss":"i"}"#, "t"));
        assert_eq!((one, one.1), (next, Taken::Stable));
        for other in [r#"{"iss":"i","sub":"b","aud":["x"]}"#, r#"{"iss":"i","sub":"a","aud":"y"}"#]
        {
            assert_ne!(of(&token(other, "s")).0, one.0, "{other}");
        }
    }

    #[test]
    fn a_signature_is_known_by_its_access_key_and_what_it_is_for() {
        let signed = |key: &str, day: &str, signature: &str| {
            of(&format!(
                "AWS4-HMAC-SHA256 Credential={key}/{day}/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
            ))
        };
        let one = signed("AKIA1", "20260101", "ab");
        assert_eq!((one, one.1), (signed("AKIA1", "20260102", "cd"), Taken::Stable));
        assert_ne!(one.0, signed("AKIA2", "20260101", "ab").0);
        assert_eq!(of("AKIA1/20260101/eu-west-1/bedrock/aws4_request"), one);
    }

    #[test]
    fn what_names_nobody_is_taken_whole() {
        let nobody = token(r#"{"exp":1,"aud":"x"}"#, "s");
        let encrypted = "Bearer eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn";
        let long = format!("Bearer eyJ{}", "a".repeat(LONGEST));
        for whole in [&nobody, encrypted, &long, "Bearer sk-1", "eyJ.eyJ.e", "Credential=a", ""] {
            let seen = of(whole);
            assert_eq!(seen.1, Taken::Whole, "{whole}");
            assert_ne!(seen.0, of(&format!("{whole}x")).0);
        }
    }
}
