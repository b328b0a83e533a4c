//! The kind of a body, as declared by the head of a response.

use http::{HeaderMap, header};

use crate::coding::Codings;

/// The kind of a body, as declared by the head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentKind {
    Json,
    /// In a content coding that only the caller can decode.
    Coded,
    Other,
}

// === impl ContentKind ===

impl ContentKind {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if Codings::of(headers) == Codings::Unknown {
            return Self::Coded;
        }
        let kind = headers.get(header::CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap_or(""));
        let kind = kind.split(';').next().unwrap_or(kind).trim();
        let is = |names: &[&str]| names.iter().any(|name| kind.eq_ignore_ascii_case(name));
        let suffix = kind.rsplit_once('+').map_or("", |(_, suffix)| suffix);
        match is(&["application/json", "text/json"]) || suffix.eq_ignore_ascii_case("json") {
            true => Self::Json,
            false => Self::Other,
        }
    }
}
