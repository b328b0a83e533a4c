//! The pairs of a query, with their keys as a server decodes them.

use std::borrow::Cow;

/// One pair of a query, undecoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a>(&'a str);

// === impl Pair ===

impl<'a> Pair<'a> {
    /// The pairs of a query that are not empty.
    pub(crate) fn all(query: &'a str) -> impl Iterator<Item = Self> {
        query.split('&').filter(|pair| !pair.is_empty()).map(Self)
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }

    /// The key, decoded and in lower case: `k%65y` and `KEY` are `key` to a server.
    pub(crate) fn key(self) -> Cow<'a, str> {
        let key = self.0.split('=').next().unwrap_or_default();
        let plain = |byte: u8| byte != b'%' && byte != b'+' && !byte.is_ascii_uppercase();
        if key.bytes().all(plain) {
            return key.into();
        }
        decoded(key).to_ascii_lowercase().into()
    }

    /// The value, decoded.
    pub(crate) fn value(self) -> String {
        decoded(self.0.split_once('=').map_or("", |(_, value)| value))
    }
}

/// Decodes percent-encoding. Invalid sequences stay as they are.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        match (first, digit(0).zip(digit(1))) {
            // Two hexadecimal digits are a byte.
            (b'%', Some((high, low))) => {
                bytes.push((high * 16 + low) as u8);
                rest = &behind[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = behind;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_a_server_reads_it() {
        let keys: Vec<_> = Pair::all("k%65y=1&&KEY=2&a+b=3&x%zz=4&%&%4&c").map(Pair::key).collect();
        assert_eq!(keys, ["key", "key", "a b", "x%zz", "%", "%4", "c"]);
    }

    #[test]
    fn a_value_is_decoded_and_may_hold_an_equals_sign() {
        let values: Vec<_> = Pair::all("a=A%2F1=%&b&c=").map(Pair::value).collect();
        assert_eq!(values, ["A/1=%", "", ""]);
    }
}
