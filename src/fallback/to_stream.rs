//! The stream that the caller asked for, of a target that was asked for the answer in one piece.

use http::{HeaderValue, header::CONTENT_TYPE};
use memchr::memmem;

use crate::{Body, Error, Response, dialect::RequestInfo, outcome::Outcome, stream::collect};

/// The stream that the caller asked for, of an answer that came in one piece; a target that streams all the same is passed
/// on.
pub(super) async fn to_stream(
    mut response: Response,
    info: &RequestInfo,
) -> Result<Response, Error> {
    /// As much as is collected of any answer.
    const MOST: usize = 32 << 20;
    let kind = response.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    if response.body().as_bytes().is_none() && memmem::find(kind, b"json").is_none() {
        return Ok(response);
    }
    let bytes = collect(response.body_mut(), MOST).await?;
    let stream = bytes.and_then(|bytes| info.dialect()?.stream_of(response, &bytes, info));
    stream.map(|stream| stream.map(Body::from)).ok_or_else(|| Error::new(Outcome::Malformed))
}
