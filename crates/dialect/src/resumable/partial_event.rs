//! An event whose end has not arrived.

use bytes::{Bytes, BytesMut};

/// The start of an event, in the pieces in which it arrived.
#[derive(Debug, Default)]
pub(super) struct PartialEvent {
    pieces: Vec<Bytes>,
    bytes: usize,
}

// === impl PartialEvent ===

impl PartialEvent {
    /// The largest event that is held back until its end: 256 KiB.
    const MOST: usize = 256 * 1024;
    /// More pieces than this are merged into one: the overhead of many small pieces is larger than their bytes.
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

    /// All of it, followed by `end`.
    pub(super) fn with(&self, end: &Bytes) -> BytesMut {
        self.pieces.iter().chain([end]).flat_map(|piece| piece.iter().copied()).collect()
    }

    /// Takes all of it, in one piece.
    pub(super) fn take(&mut self) -> Bytes {
        let mut pieces = std::mem::take(self).pieces;
        match pieces.len() {
            1 => pieces.remove(0),
            _ => pieces.concat().into(),
        }
    }

    /// Moves all of it to `out`, in the pieces in which it arrived.
    pub(super) fn move_to(&mut self, out: &mut Vec<Bytes>) {
        out.append(&mut self.pieces);
        self.bytes = 0;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
