//! Reads the content of a streamed answer.

use serde_json::Value;

/// Reads the content of a stream of chat completion events from chunks of any size.
#[derive(Default)]
pub(crate) struct ContentReader {
    /// The bytes of an incomplete line.
    rest: Vec<u8>,
}

// === impl ContentReader ===

impl ContentReader {
    /// Adds a chunk and returns the content of all events that are complete with it.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let complete =
            self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
        let lines: Vec<u8> = self.rest.drain(..complete).collect();
        let events =
            lines.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: "));
        let text = |data: &[u8]| {
            let event: Value = serde_json::from_slice(data).ok()?;
            event["choices"][0]["delta"]["content"].as_str().map(String::from)
        };
        events.filter_map(text).filter(|text| !text.is_empty()).collect()
    }
}
