//! The beginning of an event whose end has not come.

use bytes::{Bytes, BytesMut};

/// The beginning of an event, in the pieces it came in.
#[derive(Debug, Default)]
pub(super) struct PartialEvent {
    pieces: Vec<Bytes>,
    bytes: usize,
}

// === impl PartialEvent ===

impl PartialEvent {
    /// As large may an event be that is held back to its end.
    const MOST: usize = 256 * 1024;
    /// More pieces than this are made one: many small ones cost more than their bytes.
    const PIECES: usize = 64;

    pub(super) fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push(piece);
        if self.pieces.len() > Self::PIECES {
            self.pieces = vec![self.pieces.concat().into()];
        }
    }

    pub(super) fn is_past(&self) -> bool {
        self.bytes > Self::MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// With that behind it.
    pub(super) fn with(&self, end: &Bytes) -> BytesMut {
        self.pieces.iter().chain([end]).flat_map(|piece| piece.iter().copied()).collect()
    }

    /// All of it, in one piece.
    pub(super) fn take(&mut self) -> Bytes {
        let mut pieces = std::mem::take(self).pieces;
        match pieces.len() {
            1 => pieces.remove(0),
            _ => pieces.concat().into(),
        }
    }

    /// All of it, as it came.
    pub(super) fn move_to(&mut self, out: &mut Vec<Bytes>) {
        out.append(&mut self.pieces);
        self.bytes = 0;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
