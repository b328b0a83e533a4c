//! The headers that describe the coded bytes of a body.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// They are not true of the decoded body: the coding, the length, and digests (RFC 9530 and its predecessors).
const OF_THE_CODED: [HeaderName; 6] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
];

/// Removes them, and returns them in their order.
pub(crate) fn remove_coding(headers: &mut HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let mut removed = Vec::new();
    for name in OF_THE_CODED {
        let values: Vec<_> = headers.get_all(&name).iter().cloned().collect();
        headers.remove(&name);
        removed.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    removed
}
