//! Listens to a body as it is handed on, and to a whole one piece by piece.

use bytes::Bytes;

use super::{array, ndjson, sse};
use crate::dialect::Framing;

/// Listens to the bytes of a body as they are handed on. Let go of where the body ends in any other way than whole.
pub(crate) trait Tap: Send + Sync {
    /// The next bytes.
    fn bytes(&mut self, bytes: &Bytes);

    /// The body was handed on whole, to its last byte.
    fn whole(self: Box<Self>);
}

/// Reads the events of a stream that is there as a whole, by their names and data. What is none is passed by.
pub(crate) fn each_event(framing: Framing, bytes: &[u8], mut each: impl FnMut(&[u8], &[u8])) {
    let mut each = |event: sse::Event<'_>| each(event.name, event.data);
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match framing {
        Framing::EventsOrArray if first == Some(&b'[') => {
            let _all_that_can_be_read = array::Decoder::default().feed(bytes, &mut each);
        }
        Framing::Events | Framing::EventsOrArray => {
            let mut decoder = sse::Decoder::new();
            let _all_that_can_be_read = decoder.feed(bytes, &mut each);
            decoder.finish(&mut each);
        }
        Framing::Lines => {
            let mut decoder = ndjson::Decoder::default();
            let _all_that_can_be_read = decoder.feed(bytes, &mut each);
            decoder.finish(&mut each);
        }
    }
}
