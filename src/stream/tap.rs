//! Observes a body as it is handed on.

use bytes::Bytes;

/// Observes the bytes of a body as they are handed on. Dropped if the body does not end completely.
pub(crate) trait Tap: Send + Sync {
    /// The next bytes.
    fn bytes(&mut self, bytes: &Bytes);

    /// The body was handed on completely, to its last byte.
    fn whole(self: Box<Self>);
}
