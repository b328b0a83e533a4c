//! The error body: read within bounds, and put back unchanged.

use std::{borrow::Cow, collections::VecDeque, future::poll_fn, pin::Pin, time::Duration};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as _, Frame};
use tokio::time::timeout;

use super::prefixed_body::PrefixedBody;
use crate::{
    Body, Error, Response,
    coding::{Codings, decode_start},
    dialect::RequestInfo,
    outcome::{ErrorCodeTable, Outcome, Rejection, Verdict, classify_with},
};

/// The largest part of an error body that is read, in bytes.
const LIMIT: usize = 64 * 1024;
/// The most frames that are read, so that empty ones without end do not hold the call either.
const FRAMES: usize = 1024;
/// The longest time for which an error body is read; after it, the part received so far is used.
const PATIENCE: Duration = Duration::from_secs(2);

/// How reading ahead ended.
enum HoldEnd {
    /// The body has ended.
    Whole,
    /// The transport failed.
    Failed(Error),
    /// A bound was reached: there may be more data.
    More,
}

/// Reads the body of a response that is not a 2xx, within bounds, puts it back, and stores the verdict in the extensions. An
/// existing verdict is kept: it was made closer to the wire.
pub(super) async fn classify_response(codes: &ErrorCodeTable, response: Response) -> Response {
    if response.status().is_success() || response.extensions().get::<Verdict>().is_some() {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let (front, body) = look(body).await;
    let front = front.as_deref().or(body.as_bytes()).unwrap_or_default();
    let front = plain(&head.headers, &front[..front.len().min(LIMIT)]);
    let verdict = classify_with(codes, head.status, &head.headers, &front);
    head.extensions.insert(verdict);
    Response::from_parts(head, body)
}

/// The beginning of a body without its content codings, as far as they are known and it can be decoded.
fn plain<'a>(headers: &HeaderMap, front: &'a [u8]) -> Cow<'a, [u8]> {
    match Codings::of(headers) {
        codings @ Codings::Known(_) => decode_start(&codings, front, LIMIT).into(),
        Codings::Plain | Codings::Unknown => front.into(),
    }
}

/// Treats an object that is not found in an account as an error of the caller's request, not as an unknown model that another
/// target may have.
pub(super) fn stored(mut response: Response, info: &RequestInfo) -> Response {
    let missing = Outcome::Rejected { why: Rejection::Model };
    let verdict = response.extensions().get::<Verdict>();
    let verdict =
        verdict.filter(|it| it.outcome() == missing && info.operation().is_of_an_account());
    if let Some(code) = verdict.map(|verdict| verdict.code().cloned()) {
        let verdict = Verdict::new(Outcome::Rejected { why: Rejection::Request }).with_code(code);
        response.extensions_mut().insert(verdict);
    }
    response
}

/// Returns the beginning of a body, unless the returned body is known in full, and an equivalent body.
async fn look(mut body: Body) -> (Option<Bytes>, Body) {
    if body.as_bytes().is_some() {
        return (None, body);
    }
    let mut frames = VecDeque::new();
    // On a timeout the received frames are kept: they live outside of the dropped future.
    let stop = timeout(PATIENCE, read_ahead(&mut body, &mut frames)).await.unwrap_or(HoldEnd::More);
    let front = joined(&frames);
    match stop {
        HoldEnd::Whole if frames.iter().all(Frame::is_data) => (None, front.into()),
        HoldEnd::Whole => (Some(front), Body::wrap(PrefixedBody::new(frames))),
        HoldEnd::Failed(error) => {
            (Some(front), Body::wrap(PrefixedBody::new(frames).failing(error)))
        }
        HoldEnd::More => (Some(front), Body::wrap(PrefixedBody::new(frames).then(body))),
    }
}

async fn read_ahead(body: &mut Body, frames: &mut VecDeque<Frame<Bytes>>) -> HoldEnd {
    let mut length = 0;
    while length < LIMIT && frames.len() < FRAMES {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            Some(Ok(frame)) => {
                length += frame.data_ref().map_or(0, Bytes::len);
                frames.push_back(frame);
            }
            Some(Err(error)) => return HoldEnd::Failed(error),
            None => return HoldEnd::Whole,
        }
    }
    HoldEnd::More
}

/// The data of frames in one piece; a single frame is not copied.
fn joined(frames: &VecDeque<Frame<Bytes>>) -> Bytes {
    let mut data = frames.iter().filter_map(Frame::data_ref);
    match (data.next(), data.next()) {
        (None, _) => Bytes::new(),
        (Some(only), None) => only.clone(),
        (Some(first), Some(second)) => {
            let mut whole = BytesMut::from(&first[..]);
            whole.extend_from_slice(second);
            data.for_each(|more| whole.extend_from_slice(more));
            whole.freeze()
        }
    }
}

#[cfg(test)]
mod tests;
