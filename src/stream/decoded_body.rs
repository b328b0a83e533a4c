//! The decoded body of a response in content codings.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::Body;
use crate::{
    Error,
    coding::{Codings, StreamDecoder, decode, remove_coding},
    outcome::Outcome,
};

/// The largest body known in full that is decoded: 32 MiB.
const MOST: usize = 32 << 20;

/// A body that is decoded as it arrives.
struct DecodedBody {
    inner: Body,
    decoder: StreamDecoder,
    /// Whether any byte has arrived: an empty body is an empty one in any coding.
    begun: bool,
    over: bool,
}

/// Decodes the body of a response, and removes the headers of its coded form: `content-encoding`, `content-length`, digests.
///
/// For code that reads or changes a body, such as a server that puts an error at its end. A response in no content coding or in an
/// unknown one is returned as it is, and so is one with its body known in full that cannot be decoded. A stream that cannot be
/// decoded ends in an error: [`Malformed`](Outcome::Malformed), or [`Truncated`](Outcome::Truncated) if its end is missing. See
/// [`coding`](crate::coding) for the bounds.
pub fn decode_response(mut response: Response<Body>) -> Response<Body> {
    let codings = Codings::of(response.headers());
    let Some(decoder) = StreamDecoder::new(&codings) else { return response };
    let body = match response.body().bytes() {
        Some(bytes) => match decode(&codings, &bytes, MOST) {
            Ok(plain) => plain.into(),
            Err(_) => return response,
        },
        None => {
            let inner = std::mem::take(response.body_mut());
            Body::wrap(DecodedBody { inner, decoder, begun: false, over: false })
        }
    };
    remove_coding(response.headers_mut());
    response.map(|_| body)
}

// === impl DecodedBody ===

impl DecodedBody {
    fn decode(&mut self, data: &[u8]) -> Result<Bytes, Error> {
        let mut plain = BytesMut::new();
        self.begun |= !data.is_empty();
        let end = self.decoder.push(data, |piece| plain.extend_from_slice(piece));
        match end {
            Ok(()) => Ok(plain.freeze()),
            Err(_) => Err(self.fail(Outcome::Malformed)),
        }
    }

    fn fail(&mut self, why: Outcome) -> Error {
        self.over = true;
        self.inner = Body::empty();
        Error::new(why)
    }

    /// Handles the end of the bytes. A stream that was parsed as it arrived needs no further check.
    fn end(&mut self) -> Option<Result<Frame<Bytes>, Error>> {
        let parsed = self.inner.guard().is_some_and(|guard| guard.watched().is_some());
        self.over = true;
        let cut = self.begun && !parsed && !self.decoder.is_whole();
        cut.then(|| Err(self.fail(Outcome::Truncated)))
    }
}

impl HttpBody for DecodedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while !self.over {
            let data = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(self.end()),
            };
            match self.decode(&data) {
                Ok(plain) if plain.is_empty() => {}
                decoded => return Poll::Ready(Some(decoded.map(Frame::data))),
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
