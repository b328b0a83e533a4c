//! Turns an answer in one piece into the stream that the caller requested.

use http::{HeaderValue, header::CONTENT_TYPE};
use memchr::memmem;

use crate::{
    Body, Error, Response, dialect::RequestInfo, outcome::Outcome, stream::collect,
    stream::decode_response,
};

/// Turns an answer in one piece into the stream that the caller requested. If the target streams anyway, the response is passed
/// on. Returns whether it was converted.
pub(super) async fn to_stream(
    response: Response,
    info: &RequestInfo,
) -> Result<(Response, bool), Error> {
    let mut response = decode_response(response);
    /// The maximum number of bytes collected: 32 MiB.
    const MOST: usize = 32 << 20;
    let kind = response.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    if response.body().as_bytes().is_none() && memmem::find(kind, b"json").is_none() {
        return Ok((response, false));
    }
    let bytes = collect(response.body_mut(), MOST).await?;
    let stream = bytes.and_then(|bytes| info.dialect()?.stream_of(response, &bytes, info));
    stream
        .map(|stream| (stream.map(Body::from), true))
        .ok_or_else(|| Error::new(Outcome::Malformed))
}
