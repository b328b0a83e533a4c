//! A request in a content coding: decoded, and restored.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, header};

use super::{chain::decode, codings::Codings, headers::remove_coding};

/// The largest decoded request: 32 MiB.
const MAX_REQUEST: usize = 32 << 20;

/// The original of a decoded request, in its extensions.
#[derive(Clone)]
struct CodedRequest(Arc<Original>);

struct Original {
    plain: Bytes,
    coded: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
    uri: Uri,
}

/// Decodes the body of a request, if it is in content codings that are known. [`Client`](crate::Client) does so by itself.
///
/// The original is kept in the extensions of the request, so that [`RestoreRequestLayer`](super::RestoreRequestLayer) can
/// restore it. A request in an unknown coding, one that cannot be decoded, and one of more than 32 MiB decoded stays as it is.
pub fn decode_request(request: &mut Request<Bytes>) {
    let codings = match Codings::of(request.headers()) {
        Codings::Plain | Codings::Unknown => return,
        known @ Codings::Known(_) => known,
    };
    if request.body().is_empty() {
        return;
    }
    let Ok(plain) = decode(&codings, request.body(), MAX_REQUEST) else { return };
    let plain = Bytes::from(plain);
    let coded = std::mem::replace(request.body_mut(), plain.clone());
    let headers = remove_coding(request.headers_mut());
    if headers.iter().any(|(name, _)| *name == header::CONTENT_LENGTH) {
        let length = HeaderValue::from(plain.len());
        request.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    let uri = request.uri().clone();
    let original = Original { plain, coded, headers, uri };
    request.extensions_mut().insert(CodedRequest(Arc::new(original)));
}

/// Restores the original bytes and headers of a decoded request, if the body was not changed and the request goes to the host
/// that the caller addressed: another host need not accept the coding.
pub(super) fn restore_request(request: &mut Request<Bytes>) {
    let Some(CodedRequest(original)) = request.extensions_mut().remove::<CodedRequest>() else {
        return;
    };
    let host = |uri: &Uri| (uri.scheme().cloned(), uri.authority().cloned());
    if host(request.uri()) != host(&original.uri) || !is_same(request.body(), &original.plain) {
        return;
    }
    *request.body_mut() = original.coded.clone();
    request.headers_mut().remove(header::CONTENT_LENGTH);
    for (name, value) in &original.headers {
        request.headers_mut().append(name.clone(), value.clone());
    }
}

fn is_same(one: &Bytes, other: &Bytes) -> bool {
    let same_place = one.as_ptr() == other.as_ptr() && one.len() == other.len();
    same_place || one == other
}

impl fmt::Debug for CodedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodedRequest({} of {} bytes)", self.0.coded.len(), self.0.plain.len())
    }
}
