//! The content codings of a body, by its head.

use http::{HeaderMap, header};

/// Whether this build decodes the known codings.
const DECODES: bool = cfg!(feature = "compression");

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    /// With or without the header of zlib.
    Deflate,
    Zstd,
    Brotli,
}

/// The content codings of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Codings {
    /// None, or `identity`.
    Plain,
    /// In the order in which they were applied; at least one, and at most [`Codings::MAX`].
    Known(Box<[Coding]>),
    /// One that this build does not decode, or too many.
    Unknown,
}

// === impl Codings ===

impl Codings {
    /// The largest number of codings of one body.
    pub(super) const MAX: usize = 3;

    /// The codings that a head declares.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::CONTENT_ENCODING) {
            return Self::Plain;
        }
        let mut codings = Vec::new();
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let Ok(value) = value.to_str() else { return Self::Unknown };
            let names = value.split(',').map(str::trim);
            let applied =
                names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
            for name in applied {
                match Coding::named(name).filter(|_| codings.len() < Self::MAX) {
                    Some(coding) => codings.push(coding),
                    None => return Self::Unknown,
                }
            }
        }
        match codings.is_empty() {
            true => Self::Plain,
            false => Self::Known(codings.into()),
        }
    }
}

// === impl Coding ===

impl Coding {
    fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let coding = match () {
            () if is("gzip") || is("x-gzip") => Self::Gzip,
            () if is("deflate") => Self::Deflate,
            () if is("zstd") => Self::Zstd,
            () if is("br") => Self::Brotli,
            () => return None,
        };
        DECODES.then_some(coding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Codings {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
        }
        Codings::of(&headers)
    }

    #[test]
    fn a_body_without_a_coding_is_plain() {
        for plain in [&[][..], &["identity"], &["", "Identity, "]] {
            assert_eq!(of(plain), Codings::Plain, "{plain:?}");
        }
    }

    #[test]
    fn an_unknown_coding_and_too_many_of_them_are_unknown() {
        for unknown in ["compress", "gzip, dcz", "gzip, gzip, gzip, gzip", "a b"] {
            assert_eq!(of(&[unknown]), Codings::Unknown, "{unknown}");
        }
    }

    #[cfg(feature = "compression")]
    #[test]
    fn codings_are_read_in_the_order_in_which_they_were_applied() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        assert_eq!(of(&["GZIP, identity", "zstd"]), Codings::Known([Gzip, Zstd].into()));
        assert_eq!(of(&["x-gzip,deflate,br"]), Codings::Known([Gzip, Deflate, Brotli].into()));
    }
}
