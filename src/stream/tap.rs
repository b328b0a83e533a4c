//! Listens to a body as it is handed on.

use bytes::Bytes;

/// Listens to the bytes of a body as they are handed on. Let go of where the body ends in any other way than whole.
pub(crate) trait Tap: Send + Sync {
    /// The next bytes.
    fn bytes(&mut self, bytes: &Bytes);

    /// The body was handed on whole, to its last byte.
    fn whole(self: Box<Self>);
}
