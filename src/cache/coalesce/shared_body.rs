//! A body that many callers read, each at its own position.

use std::{collections::VecDeque, task::Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

use super::shared_error::SharedError;
use crate::{Error, outcome::Outcome};

/// The frames of a body so far.
#[derive(Default)]
pub(super) struct SharedBody {
    pieces: VecDeque<SharedFrame>,
    /// The number of frames removed from the front.
    gone: usize,
    bytes: usize,
    end: Option<Result<(), SharedError>>,
}

/// A frame that can be cloned.
#[derive(Clone)]
pub(super) enum SharedFrame {
    Data(Bytes),
    Trailers(HeaderMap),
}

// === impl SharedBody ===

impl SharedBody {
    /// The maximum number of bytes kept: 4 MiB. A caller that is farther behind loses the answer, so that none holds up the
    /// others.
    const MOST: usize = 4 * 1024 * 1024;
    /// The memory of a frame beside its bytes.
    const PIECE: usize = 64;

    pub(super) fn push(&mut self, piece: SharedFrame) {
        self.bytes += piece.weight();
        self.pieces.push_back(piece);
        while self.bytes > Self::MOST && self.pieces.len() > 1 {
            let first = self.pieces.pop_front();
            self.bytes -= first.map_or(0, |piece| piece.weight());
            self.gone += 1;
        }
    }

    /// Ends the body; only the first call counts.
    pub(super) fn end(&mut self, end: Result<(), SharedError>) {
        self.end.get_or_insert(end);
    }

    /// Whether it still has its beginning.
    pub(super) fn is_whole(&self) -> bool {
        self.gone == 0
    }

    /// The frame at a position, or the end; `None` if neither is there yet.
    pub(super) fn read(
        &mut self,
        at: usize,
        first: bool,
    ) -> Poll<Option<Result<SharedFrame, Error>>> {
        let Some(place) = at.checked_sub(self.gone) else {
            return Poll::Ready(Some(Err(Error::new(Outcome::Truncated))));
        };
        if let Some(piece) = self.pieces.get(place) {
            return Poll::Ready(Some(Ok(piece.clone())));
        }
        match &mut self.end {
            None => Poll::Pending,
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(fault)) => Poll::Ready(Some(Err(fault.tell(first)))),
        }
    }
}

// === impl SharedFrame ===

impl SharedFrame {
    fn weight(&self) -> usize {
        match self {
            Self::Data(data) => SharedBody::PIECE + data.len(),
            Self::Trailers(_) => SharedBody::PIECE,
        }
    }
}

impl From<Frame<Bytes>> for SharedFrame {
    fn from(frame: Frame<Bytes>) -> Self {
        match frame.into_data() {
            Ok(data) => Self::Data(data),
            // A frame without data has trailers.
            Err(frame) => Self::Trailers(frame.into_trailers().unwrap_or_default()),
        }
    }
}

impl From<SharedFrame> for Frame<Bytes> {
    fn from(piece: SharedFrame) -> Self {
        match piece {
            SharedFrame::Data(data) => Self::data(data),
            SharedFrame::Trailers(trailers) => Self::trailers(trailers),
        }
    }
}
