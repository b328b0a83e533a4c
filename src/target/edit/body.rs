//! Replaces the body of a request.

use bytes::Bytes;
use http::{
    HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH},
};

use crate::{
    Request,
    context::CallContext,
    dialect::{Dialect, RequestInfo, unstream_path},
};

/// Replaces the body of a request after a change in that dialect.
pub(crate) fn edit_body(request: &mut Request, body: Bytes, dialect: Dialect) {
    *request.body_mut() = body;
    measured(request);
    let info = RequestInfo::read_as(request, Some(dialect));
    CallContext::set_info(request, info);
}

/// Updates `content-length` after a change of the body.
pub(crate) fn measured(request: &mut Request) {
    if request.headers().contains_key(CONTENT_LENGTH) {
        let length = HeaderValue::from(request.body().len());
        request.headers_mut().insert(CONTENT_LENGTH, length);
    }
}

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
