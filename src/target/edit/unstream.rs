//! Requests an answer in one piece.

use http::{
    HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING},
};

use crate::{
    Request,
    dialect::{Dialect, unstream_path},
};

/// Requests the answer as one piece of JSON, without a content coding.
pub(super) fn unstream(request: &mut Request, dialect: Dialect) {
    if dialect == Dialect::Gemini {
        unstream_path(request.uri_mut());
    }
    let headers = request.headers_mut();
    headers.remove(ACCEPT_ENCODING);
    if headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
}
