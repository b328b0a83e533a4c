//! The events of a stream that is there as a whole.

use super::{array, ndjson, sse};
use crate::StreamFraming;

/// Reads the events of a stream that is there as a whole, by their names and data. What is none is passed by.
pub(crate) fn each_event(framing: StreamFraming, bytes: &[u8], mut each: impl FnMut(&[u8], &[u8])) {
    let mut each = |event: sse::Event<'_>| each(event.name, event.data);
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match framing {
        StreamFraming::SseOrArray if first == Some(&b'[') => {
            let _all_that_can_be_read = array::Decoder::default().feed(bytes, &mut each);
        }
        StreamFraming::Sse | StreamFraming::SseOrArray => {
            let mut decoder = sse::Decoder::new();
            let _all_that_can_be_read = decoder.feed(bytes, &mut each);
            decoder.finish(&mut each);
        }
        StreamFraming::JsonLines => {
            let mut decoder = ndjson::Decoder::default();
            let _all_that_can_be_read = decoder.feed(bytes, &mut each);
            decoder.finish(&mut each);
        }
    }
}
