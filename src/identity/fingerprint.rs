//! A fingerprint that distinguishes credentials within this process, and reveals nothing else.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::LazyLock,
};

use http::{HeaderName, HeaderValue};

use super::{
    IdentityPolicy,
    query::Pair,
    stable::{Taken, take},
};
use crate::Request;

/// Twelve hexadecimal digits that distinguish payers within this process; prefixed with `~` if one payer has many credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    text: [u8; LENGTH],
    from: usize,
}

const DIGITS: usize = 12;
const LENGTH: usize = DIGITS + 1;

/// The fingerprint of a request without a credential.
const NONE: Fingerprint = Fingerprint { text: [b'-'; LENGTH], from: DIGITS };

/// A sum of the hashes of all values that name the payer, independent of their order.
#[derive(Default)]
struct Sum {
    sum: Option<u64>,
    stable: bool,
}

// === impl Fingerprint ===

impl Fingerprint {
    /// The fingerprint of the payer of a request.
    pub(crate) fn of(request: &Request) -> Self {
        let identity = IdentityPolicy::of(request.extensions());
        let mut sum = Sum::default();
        let name = identity.named_by.as_ref().and_then(|name| request.headers().get(name));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            sum.add("named by", name.as_bytes());
            sum.stable = true;
            return sum.fingerprint();
        }
        for (header, value) in request.headers() {
            if identity.is_payer(header) {
                sum.add(header.as_str(), value.as_bytes());
            }
        }
        for pair in Pair::all(request.uri().query().unwrap_or_default()) {
            let key = pair.key();
            if identity.is_payer_key(&key) {
                sum.add(&key, pair.value().as_bytes());
            }
        }
        sum.fingerprint()
    }

    /// The fingerprint of known credentials.
    pub(crate) fn of_headers<'a>(
        headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    ) -> Self {
        let mut sum = Sum::default();
        headers.for_each(|(name, value)| sum.add(name.as_str(), value.as_bytes()));
        sum.fingerprint()
    }

    /// The fingerprint of a source of credentials, whatever it returns.
    pub(crate) fn of_source(id: u64) -> Self {
        let mut sum = Sum { stable: true, ..Sum::default() };
        sum.add("source", &id.to_ne_bytes());
        sum.fingerprint()
    }

    /// The digits, or `-` if there is no credential.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[self.from..]).expect("digits are ASCII")
    }
}

// === impl Sum ===

impl Sum {
    fn add(&mut self, name: &str, credential: &[u8]) {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut hasher = KEY.build_hasher();
        name.hash(&mut hasher);
        self.stable |= take(credential, &mut hasher) == Taken::Stable;
        let one = std::hash::Hasher::finish(&hasher);
        self.sum = Some(self.sum.unwrap_or(0).wrapping_add(one));
    }

    fn fingerprint(self) -> Fingerprint {
        let Some(sum) = self.sum else { return NONE };
        let mut text = [b'~'; LENGTH];
        for (at, digit) in text[1..].iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(sum >> (4 * at)) as usize % 16];
        }
        Fingerprint { text, from: usize::from(!self.stable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str, headers: &[(&str, &str)]) -> String {
        let request = http::Request::post(uri);
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        Fingerprint::of(&request.body(bytes::Bytes::new()).unwrap()).as_str().to_owned()
    }

    #[test]
    fn the_order_of_headers_says_nothing() {
        let (key, org) = (("authorization", "Bearer k"), ("openai-organization", "o"));
        let both = of("https://a.example/", &[key, org]);
        assert_eq!(both, of("https://a.example/", &[org, key]));
        assert!(both != of("https://a.example/", &[key]) && both.len() == DIGITS);
    }

    #[test]
    fn one_without_a_credential_has_a_dash() {
        assert_eq!(of("https://a.example/?alt=sse", &[("x-request-id", "1")]), "-");
    }

    #[test]
    fn a_key_is_a_key_wherever_and_however_it_travels() {
        let one = of("https://a.example/?key=one", &[]);
        assert_eq!(one, of("https://a.example/?alt=sse&k%65y=%6fne", &[]));
        assert!(one != "-" && one != of("https://a.example/?key=two", &[]));
    }
}
