//! What a guard reads from.

use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, SizeHint};
use http_body_util::{BodyExt, combinators::BoxBody};
use tokio::{runtime::Handle, time::timeout};

use crate::Error;

/// How long the rest of a body is read after the last event of its API, and how much of it.
const PATIENCE: Duration = Duration::from_secs(1);
const MOST: usize = 64 * 1024;

/// What is underneath; the body is let go of as soon as it is over, or has failed.
pub(super) enum Underneath {
    Open(BoxBody<Bytes, Error>),
    /// The error follows the frames before it.
    Failed(Error),
    Over,
}

// === impl Underneath ===

impl Underneath {
    /// Nothing comes any more but that error, if there is one.
    pub(super) fn ended(failure: Option<Error>) -> Self {
        failure.map_or(Self::Over, Self::Failed)
    }

    /// Drops the inner body. An error that is still to come stays.
    pub(super) fn let_go(&mut self) {
        if matches!(self, Self::Open(_)) {
            *self = Self::Over;
        }
    }

    /// Lets go of the inner body, and reads the rest of it in the background, so that its connection can be used again.
    pub(super) fn drain(&mut self) {
        match (std::mem::replace(self, Self::Over), Handle::try_current()) {
            (Self::Open(body), Ok(runtime)) => drop(runtime.spawn(timeout(PATIENCE, rest(body)))),
            (failed @ Self::Failed(_), _) => *self = failed,
            _ => {}
        }
    }

    /// The error that is still to come.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        match std::mem::replace(self, Self::Over) {
            Self::Failed(error) => Some(error),
            open @ Self::Open(_) => {
                *self = open;
                None
            }
            Self::Over => None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// Whether the inner body has no more data.
    pub(super) fn is_drained(&self) -> bool {
        match self {
            Self::Open(body) => body.is_end_stream(),
            Self::Failed(_) | Self::Over => true,
        }
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Open(body) => body.size_hint(),
            Self::Failed(_) | Self::Over => SizeHint::with_exact(0),
        }
    }
}

/// Reads a body to its end, or to a bound.
async fn rest(mut body: BoxBody<Bytes, Error>) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(1, Bytes::len);
        if read > MOST {
            return;
        }
    }
}
